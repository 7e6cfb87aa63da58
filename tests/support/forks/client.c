/* Asks the server of forks for the Python program it was called with, and ends as that does.

   Called as Python is: `-c CODE ...` or `-m MODULE ...`. See request.py for what it sends. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { LONGEST = 1 << 18, STREAMS = 10 };

extern char **environ;

static char message[LONGEST];
static size_t size;

static void fail(const char *what) {
  perror(what);
  exit(127);
}

static void add(const char *text) {
  size_t more = strlen(text) + 1;
  if (size + more > sizeof message) exit(126);
  memcpy(message + size, text, more);
  size += more;
}

static void send_all(int asking, const int *streams, int count) {
  union {
    char bytes[CMSG_SPACE(sizeof(int) * STREAMS)];
    struct cmsghdr aligned;
  } rights;
  struct iovec text = {message, size};
  struct msghdr whole = {0};
  whole.msg_iov = &text;
  whole.msg_iovlen = 1;
  whole.msg_control = rights.bytes;
  whole.msg_controllen = CMSG_SPACE(sizeof(int) * count);
  struct cmsghdr *header = CMSG_FIRSTHDR(&whole);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int) * count);
  memcpy(CMSG_DATA(header), streams, sizeof(int) * count);
  if (sendmsg(asking, &whole, 0) < 0) fail("sendmsg");
}

static long hear(int asking) {
  char answer[64] = {0};
  if (recv(asking, answer, sizeof answer - 1, 0) <= 0) fail("the server of forks");
  return strtol(answer, NULL, 10);
}

int main(int count, char **words) {
  char text[128], folder[4096];
  int streams[STREAMS], many = 0;
  char numbers[64] = "";
  for (int number = 0; number < STREAMS; number++) {
    if (fcntl(number, F_GETFD) < 0) continue;
    streams[many++] = number;
    sprintf(numbers + strlen(numbers), "%d ", number);
  }
  if (!getcwd(folder, sizeof folder)) fail("getcwd");
  mode_t mask = umask(0);
  add(folder);
  sprintf(text, "%o", mask);
  add(text);
  add("0");
  add(numbers);
  sprintf(text, "%d", count - 1);
  add(text);
  for (int number = 1; number < count; number++) add(words[number]);
  for (char **variable = environ; *variable; variable++) add(*variable);

  int asking = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  struct sockaddr_un address = {AF_UNIX, LISTENS};
  int room = LONGEST;
  setsockopt(asking, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  if (connect(asking, (struct sockaddr *)&address, sizeof address)) fail("connect");
  send_all(asking, streams, many);
  hear(asking);
  for (int number = 0; number < many; number++) close(streams[number]);
  long code = hear(asking);
  if (code >= 0) return (int)code;
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  signal((int)-code, SIG_DFL);
  raise((int)-code);
  return 128 - (int)code;
}

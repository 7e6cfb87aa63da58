"""Tables with credentials. Never merged, archived, exported, printed or synced unless asked."""

from typing import Final

from neotoma_core.neotoma.tables.shape import Index, Table, integer, text, texts

AUTH_USERS: Final = Table(
    "auth_users",
    "secret",
    (*texts("id", "email", "created_at"),),
)

AUTH_SESSIONS: Final = Table(
    "auth_sessions",
    "secret",
    (
        *texts("id"),
        text("user_id", required=True),
        text("access_token", required=True),
        *texts("refresh_token", "expires_at", "created_at"),
    ),
)

LOCAL_AUTH_USERS: Final = Table(
    "local_auth_users",
    "secret",
    (
        *texts("id"),
        text("email", required=True),
        text("password_hash", required=True),
        text("password_salt", required=True),
        text("created_at", required=True),
        text("updated_at", required=True),
        *texts("last_login_at"),
        integer("is_ephemeral", required=True, default="0", since="v0.9.0"),
    ),
)

SANDBOX_SESSIONS: Final = Table(
    "sandbox_sessions",
    "secret",
    (
        *texts("user_id"),
        text("bearer_token_hash", required=True),
        *texts("one_time_code_hash"),
        text("pack_id", required=True, default="'generic'"),
        text("created_at", required=True),
        text("expires_at", required=True),
        *texts("revoked_at"),
    ),
    key=("user_id",),
    credentials=("user_id", "bearer_token_hash"),
    indexes=(
        Index("idx_sandbox_sessions_revoked", ("revoked_at",)),
        Index("idx_sandbox_sessions_expires", ("expires_at",)),
    ),
    cascades=(("user_id", "local_auth_users", "id"),),
    since="v0.9.0",
)

MCP_OAUTH_STATE: Final = Table(
    "mcp_oauth_state",
    "secret",
    (
        *texts("id"),
        text("state", required=True),
        text("code_verifier", required=True),
        *texts("code_challenge"),
        text("connection_id", required=True),
        text("redirect_uri", required=True),
        *texts(
            "client_state", "created_at", "expires_at", "user_id", "scope", "final_redirect_uri"
        ),
        text(
            "authorization_code_provenance",
            required=True,
            default="'client_pkce'",
            since="v0.25.0",
        ),
    ),
)

MCP_OAUTH_CODES: Final = Table(
    "mcp_oauth_codes",
    "secret",
    (
        *texts("id"),
        text("code", required=True),
        text("code_challenge", required=True),
        text("connection_id", required=True),
        *texts("client_id", "created_at", "expires_at"),
        text("authorization_code_provenance", required=True, default="'client_pkce'"),
    ),
    indexes=(Index("idx_mcp_oauth_codes_code", ("code",)),),
    since="v0.25.0",
)

MCP_OAUTH_CONNECTIONS: Final = Table(
    "mcp_oauth_connections",
    "secret",
    (
        *texts("id"),
        text("user_id", required=True),
        text("connection_id", required=True),
        text("refresh_token", required=True),
        *texts(
            "access_token",
            "access_token_expires_at",
            "client_name",
            "last_used_at",
            "created_at",
            "revoked_at",
        ),
        text("authenticated_user_id", since="v0.24.0"),
        text("authenticated_email", since="v0.24.0"),
    ),
    credentials=("connection_id", "refresh_token", "access_token"),
)

MCP_OAUTH_CLIENT_STATE: Final = Table(
    "mcp_oauth_client_state",
    "secret",
    (
        *texts("id"),
        text("client_id", required=True),
        text("redirect_uri", required=True),
        *texts("created_at"),
    ),
)

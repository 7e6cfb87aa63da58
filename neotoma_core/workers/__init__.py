"""Reading files from outside in processes apart, so that what a file does costs that file."""

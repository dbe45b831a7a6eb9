"""The contract, held from outside: a real server process, real sockets, a real model server."""

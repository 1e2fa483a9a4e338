"""Everything a case may call: the servers of `loopback`, started once."""

import socket
import tempfile
from pathlib import Path

from .loopback import Deaf, Http, Server, answer, closed_port, hang, self_signed


def _plain(connection: socket.socket) -> None:
    connection.recv(65_536)
    connection.sendall(answer(400))


class Net:
    """Addresses of servers that behave well or badly."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="relkit clients "))
        self.http = Http()
        self.https = Http(self_signed(self.folder))
        self.refused = f"http://127.0.0.1:{closed_port()}"
        self.nowhere = "http://nowhere.invalid"
        self._deaf = Deaf()
        self.deaf = f"http://127.0.0.1:{self._deaf.port}"
        self.mute = Server(hang)
        self.mute_port = str(self.mute.port)
        self.plain_as_tls = f"https://127.0.0.1:{Server(_plain).port}"
        self.hang_up_tls = f"https://127.0.0.1:{Server(lambda sock: sock.close()).port}"
        self._grpc = None

    @property
    def grpc(self) -> str:
        """Address of the gRPC server, started when first asked for."""
        if self._grpc is None:
            from .cases_cloud import grpc_server

            self._grpc = grpc_server()
        return f"127.0.0.1:{self._grpc[1]}"

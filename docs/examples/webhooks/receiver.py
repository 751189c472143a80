# SPDX-License-Identifier: MIT
# WEBHOOK_SECRET=whsec_… python3 receiver.py 8080
import base64
import hashlib
import hmac
import http.server
import json
import os
import sys
import time

KEY = base64.b64decode(os.environ["WEBHOOK_SECRET"].removeprefix("whsec_"))
seen = set()  # keep it where a restart does not lose it


def verify(headers, body):
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > 300:
        return False
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(expected.encode(), given.encode())
               for given in headers.get("webhook-signature", "").split(" "))


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        # The bytes as they came: what is parsed and written again is not what was signed.
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fine = verify(self.headers, body)
        if fine and self.headers["webhook-id"] not in seen:
            seen.add(self.headers["webhook-id"])
            print("received", json.loads(body)["type"], flush=True)
        self.send_response(200 if fine else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()

"""An S3 server in memory, with the library moto, on 127.0.0.1.

    python s3_server.py BUCKET

Prints one line of JSON with its address when it is ready, and stops when its standard input ends.
"""

import json
import os
import sys

import boto3
from moto.server import ThreadedMotoServer

os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
endpoint = f"http://127.0.0.1:{port}"
boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1").create_bucket(Bucket=sys.argv[1])
print(json.dumps({"endpoint": endpoint}), flush=True)
while os.read(0, 4096):
    pass
# Threads of open connections must not delay the end.
os._exit(0)

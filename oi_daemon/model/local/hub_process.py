"""Downloads one file from the Hugging Face Hub. `hub.py` runs it as a program of its own.

Arguments: the repository, the file's name, its SHA-256, and the path of the partial file, which is
continued. No token is sent, because the file is public.
"""

import sys
from pathlib import Path

TIMEOUT = 10.0
"""Seconds within which the hub must accept a connection, answer, and send some more."""
CHUNK_SIZE = 1 << 20
"""Bytes that are written at once."""


def main(repository: str, name: str, sha256: str, partial: str) -> None:
    """Append what is missing to the partial file, unless the hub has another file of this name."""
    from huggingface_hub import get_hf_file_metadata, get_session, hf_hub_url

    metadata = get_hf_file_metadata(hf_hub_url(repository, name), token=False, timeout=TIMEOUT)
    if metadata.etag != sha256:
        raise ValueError(f"the file {name} there is another one: its checksum is {metadata.etag}")
    with Path(partial).open("ab") as file:
        start = file.tell()
        if start == metadata.size:
            return
        response = get_session().stream(
            "GET",
            metadata.location,
            headers={"Range": f"bytes={start}-"},
            timeout=TIMEOUT,
            follow_redirects=True,
        )
        with response as answer:
            answer.raise_for_status()
            if answer.status_code != 206:  # the server sends the whole file
                file.truncate(0)
            for data in answer.iter_bytes(CHUNK_SIZE):
                file.write(data)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        sys.exit(f"ERROR: {first_line}")

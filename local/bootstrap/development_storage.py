"""The account that every emulator of Azure Storage has, with its published key."""

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

BLOB_PORT, QUEUE_PORT, TABLE_PORT = 10000, 10001, 10002
"""Where an emulator listens unless it is told otherwise."""


def connection_string(
    blob_port: int = BLOB_PORT, queue_port: int = QUEUE_PORT, table_port: int = TABLE_PORT
) -> str:
    """Return what `UseDevelopmentStorage=true` stands for, or the same on other ports."""
    ports = {"Blob": blob_port, "Queue": queue_port, "Table": table_port}
    endpoints = "".join(
        f"{service}Endpoint=http://127.0.0.1:{port}/{ACCOUNT};" for service, port in ports.items()
    )
    return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};{endpoints}"

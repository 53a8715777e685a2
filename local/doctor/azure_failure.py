"""
Why a deployed app answers with server errors, as far as its log tells. Standard library only.
"""

import re
from typing import Any

from local.doctor.azure_cli import Azure, AzureCliError, ids_of_type
from local.doctor.findings import Finding, Level

LAST_IMPORT_ERROR = """AppExceptions
| where TimeGenerated > ago(1h)
| extend Text = strcat(OuterMessage, " ", InnermostMessage, " ", Message)
| where Text has "No module named" or Text has "ImportError"
| top 1 by TimeGenerated
| project Text"""

MISSING_MODULE = re.compile(r"No module named '?([\w.]+)")


def failure(
    azure: Azure, listed: list[dict[str, Any]], app: dict[str, Any], status: int
) -> Finding:
    """The finding for an app that answers `status`, 500 or above."""
    logged = _last_import_error(azure, listed)
    if logged is None:
        return Finding(
            Level.FAULT,
            f"The app fails ({status}); the reason is in Application Insights, under Failures",
        )
    missing = MISSING_MODULE.search(logged)
    module = missing[1].partition(".")[0] if missing else "what it requires"
    version = app["properties"]["functionAppConfig"]["runtime"]["version"]
    return Finding(
        Level.FAULT,
        f"The app fails ({status}): it cannot import {module}. Its package was most likely built "
        f"for another Python than {version}, which it runs on. Run the Deploy workflow; or, with "
        f"Python {version} on Linux, `python3 -m pip install -r requirements.txt "
        "-t .python_packages/lib/site-packages` and "
        f"`func azure functionapp publish {app['name']} --python --no-build`",
    )


def _last_import_error(azure: Azure, listed: list[dict[str, Any]]) -> str | None:
    """The newest import error of the last hour; None if the log has none, or may not be read."""
    query = {"query": LAST_IMPORT_ERROR}
    try:
        workspace = ids_of_type(listed, "Microsoft.OperationalInsights/workspaces")[0]
        answer = azure.post(f"{workspace}/api/query", "2020-08-01", query)
        return str(answer["tables"][0]["rows"][0][0])
    except (AzureCliError, LookupError, TypeError):
        # A log that cannot be read must not hide that the app fails.
        return None

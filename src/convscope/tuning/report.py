"""report"""

from pathlib import Path

from convscope.tuning.folder import SearchFolder


def write_report(folder: SearchFolder) -> Path:
    return folder.report

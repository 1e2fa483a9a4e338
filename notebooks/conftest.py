"""`pytest --nbval notebooks`: a stored output that no longer holds fails with one line for each plate, table or verdict."""

from nbval.plugin import IPyNbCell, NbCellError

from relkit.report.compare import difference_line


def _one_line(self, key, left, right):
    self.comparison_traceback.append(difference_line(key, left, right))


def _brief(self, excinfo):
    error = excinfo.value
    if isinstance(error, NbCellError) and str(error) == "Cell outputs differ":
        return f"{self.parent.path.name}, cell {self.cell_num}: {error.inner_traceback}"
    return _whole(self, excinfo)


_whole = IPyNbCell.repr_failure
IPyNbCell.format_output_compare = _one_line
IPyNbCell.repr_failure = _brief

"""`pytest --nbval notebooks`: a stored output that no longer holds fails with one line for each plate, table or verdict."""

from nbval.plugin import IPyNbCell, NbCellError

from relkit.report.compare import difference_line

LONGEST = 400


def _one_line(self, key, left, right):
    self.comparison_traceback.append(difference_line(key, left, right))


def _brief(self, excinfo):
    error = excinfo.value
    if isinstance(error, NbCellError) and str(error) == "Cell outputs differ":
        # nbval prints outputs whole where their number differs: a picture is 20 KB of markup
        text = " ".join(error.inner_traceback.split())
        return f"{self.parent.path.name}, cell {self.cell_num}: {text[:LONGEST]}{'…' * (len(text) > LONGEST)}"
    return _whole(self, excinfo)


_whole = IPyNbCell.repr_failure
IPyNbCell.format_output_compare = _one_line
IPyNbCell.repr_failure = _brief

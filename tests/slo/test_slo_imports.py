import subprocess
import sys

SLOW = ("scipy.stats", "statsmodels", "pandas", "relkit.errors")


def test_the_room_starts_without_the_slow_libraries():
    code = f"import sys, relkit.slo; print([name for name in {SLOW} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"

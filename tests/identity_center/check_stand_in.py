"""Checks the stand-in by letting the real clients talk to it: check_stand_in.py [PART]

PART is admin, faults, sign_in or cli, or a piece of a check's name.

botocore (every operation that is there), and the aws CLI of both versions where it is installed. One line for each
check; ends with 1 when any failed.
"""

import sys
import time
import traceback

# no __pycache__ beside the sources
sys.dont_write_bytecode = True

import check_admin
import check_cli
import check_faults
import check_sign_in

PARTS = {
    "admin": check_admin.CHECKS,
    "faults": check_faults.CHECKS,
    "sign_in": check_sign_in.CHECKS,
    "cli": check_cli.CHECKS,
}


def main(wanted):
    """Runs what was asked for."""
    failed = 0
    named = [check for checks in PARTS.values() for check in checks if wanted in check.__name__]
    for check in PARTS.get(wanted, named):
        begun = time.time()
        try:
            said = check()
        except Exception:
            failed += 1
            traceback.print_exc()
            print(f"FAILED {check.__name__}", flush=True)
        else:
            print(f"{said or 'ok'} {check.__name__} ({time.time() - begun:.1f} s)", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))

"""Makes npy.json: files that NumPy wrote, beside the values a reader must find. Run: python3 npy.py > npy.json"""
import base64
import io
import json

import numpy as np


def case(name, array, version=None):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version=version)
    values = [str(v) if array.dtype.kind in "iu" else float(v) for v in array.ravel(order="C")]
    return {"name": name, "shape": list(array.shape), "values": values, "file": base64.b64encode(file.getvalue()).decode(),
            "rewrites": version is None and array.dtype.byteorder != ">" and not np.isfortran(array)
            and array.dtype.kind != "b" and array.dtype != np.float16}


def main():
    cases = []
    for code in ["f4", "f8", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2"]:
        for order in "<>":
            low = 0 if code[0] == "u" else -3
            array = (np.arange(low, low + 6).reshape(2, 3) * 20).astype(order + code)
            if code[0] == "f":
                array /= 7
            cases.append(case(order + code, array))
    wide = np.array([np.iinfo("i8").min, np.iinfo("i8").max], "i8")
    cases += [
        case("bool", np.array([True, False, True])),
        case("i8 limits", wide),
        case("u8 limit", np.array([2**64 - 1], "u8")),
        case("f2 specials", np.array([6e-8, -6e-5, 65504, -0.0, 1.0009765625], "f2")),
        case("scalar", np.array(2.5, "f4")),
        case("empty", np.zeros((3, 0), "f4")),
        case("fortran 2", np.asfortranarray(np.arange(6, dtype="f4").reshape(2, 3))),
        case("fortran 3", np.asfortranarray(np.arange(24, dtype=">i2").reshape(2, 3, 4))),
        case("fortran 4 with a 1", np.asfortranarray(np.arange(30, dtype="f8").reshape(5, 1, 3, 2))),
        case("version 2", np.arange(4, dtype="f4"), (2, 0)),
        case("version 3", np.arange(4, dtype="f4"), (3, 0)),
        case("rank 5", np.arange(32, dtype="u1").reshape(2, 2, 2, 2, 2)),
        case("long first axis", np.arange(12345, dtype="u1")[:0].reshape(0, 12345)),
    ]
    lines = ",\n".join(json.dumps(c) for c in cases)
    print(f'{{"numpy": "{np.__version__}", "cases": [\n{lines}\n]}}')


main()

"""Rules of the repository that no compiler holds. Usage: policy_test.py SOURCE_DIR BINARY_DIR CASE"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

SOURCE, BINARY = sys.argv[1], sys.argv[2]

# Who may include whom. generator shares one header with runtime; nothing includes autotune.
MAY_INCLUDE = {
    "targets": {"targets"},
    "schedules": {"schedules", "targets"},
    "generator": {"generator", "schedules", "targets", "runtime/abi/trit_kernel.h"},
    "runtime": {"runtime", "targets"},
    "model": {"model", "runtime", "targets"},
    "autotune": {"autotune", "generator", "schedules", "runtime", "model", "targets",
                 "tests/kit/check_library.h"},  # tritforge check
    "tests": {"tests", "targets", "schedules", "generator", "runtime", "model", "autotune"},
}
# The only ones that may see Halide or LLVM.
NEED_TOOLKIT = {"generator", "autotune", "schedules", "qemu"}

# What `trit` may be linked with: the C and C++ runtime and what reading models needs.
MAY_LINK = {"libc", "libm", "libstdc++", "libgcc_s", "libpthread", "libdl", "ld-linux-x86-64",
            "ld-linux-aarch64", "libpcre2-8", "libxxhash", "libfmt", "libhwy", "libz", "libcpp-httplib"}


def run(*command):
    return subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, check=True).stdout


def tracked(*endings):
    files = run("git", "ls-files", "-co", "--exclude-standard", "-z").split("\0")
    return [f for f in files if f and f.endswith(endings) and os.path.isfile(f"{SOURCE}/{f}")]


def text(path):
    with open(f"{SOURCE}/{path}", encoding="utf-8") as file:
        return file.read()


HIGHWAY_NAMES = ("model/ops/elementwise.cpp", "model/session/model.cpp")

CODE = (".h", ".cpp", ".c", ".inc", ".hpp", ".cc")


class Policy(unittest.TestCase):
    def faults(self, found):
        self.assertEqual([], found, "\n" + "\n".join(found))

    def test_dependencies_point_one_way(self):
        found = []
        for path in tracked(*CODE):
            folder = path.split("/")[0]
            allowed = MAY_INCLUDE.get(folder)
            if allowed is None:
                continue
            for include in re.findall(r'^\s*#\s*include\s+"([^"]+)"', text(path), re.M):
                top = include.split("/")[0]
                if "/" not in include:
                    found.append(f"{path}: includes \"{include}\": includes are root-relative")
                elif top in MAY_INCLUDE and top not in allowed and include not in allowed:
                    found.append(f"{path}: {folder} may not include {include}")
        self.faults(found)

    def test_only_the_toolkit_sees_halide_and_llvm(self):
        found = []
        for path in tracked(*CODE):
            top = path.split("/")[0]
            if top in NEED_TOOLKIT or (top == "tests" and path.split("/")[1] in NEED_TOOLKIT):
                continue
            if re.search(r'^\s*#\s*include\s+[<"](Halide|llvm)', text(path), re.M):
                found.append(f"{path}: includes Halide or LLVM")
        self.faults(found)

    def test_no_object_outside_the_toolkit_read_their_headers(self):
        # What the compiler really opened, system headers included.
        if not os.path.exists(f"{BINARY}/build.ninja"):
            self.skipTest("the build is not ninja's")
        found, objects, name = [], 0, ""
        for line in run("ninja", "-C", BINARY, "-t", "deps").splitlines():
            if line and not line[0].isspace():
                name = line.split(":")[0]
                objects += name.endswith(".o")
            elif re.search(r"/Halide|/llvm(-\d+)?/", line):
                parts = [part for part in name.split("/") if part != "CMakeFiles"]
                if parts[0] not in NEED_TOOLKIT and not (
                        parts[0] == "tests" and parts[1] in NEED_TOOLKIT):
                    found.append(f"{name} read {line.strip()}")
        self.assertGreater(objects, 50)
        self.faults(found)

    def needed(self, program):
        out = run("readelf", "-d", program)
        return re.findall(r"\(NEEDED\).*\[(.*)\]", out)

    def test_trit_is_lean(self):
        libraries = self.needed(f"{BINARY}/bin/trit")
        self.assertIn("libc.so.6", libraries)
        may_link = MAY_LINK
        if "TRIT_SANITIZE:STRING=\n" not in pathlib.Path(BINARY, "CMakeCache.txt").read_text():
            may_link = MAY_LINK | {"libasan", "libubsan", "libtsan"}
        self.faults([f"trit is linked with {lib}" for lib in libraries
                     if lib.split(".so")[0] not in may_link])
        symbols = run("nm", "-D", "--undefined-only", f"{BINARY}/bin/trit")
        self.faults([s for s in symbols.split() if re.match(r"_ZN(4llvm|6Halide)|halide_|LLVM", s)])

    def test_a_kernel_library_exports_one_symbol(self):
        out = run("nm", "-D", "--defined-only", f"{BINARY}/tests/abi/example_kernels.so")
        names = [line.split()[-1] for line in out.splitlines()]
        self.assertEqual(["trit_library_v1"], [n for n in names if not n.startswith("_")])

    def test_only_targets_names_targets(self):
        keys = [d for d in os.listdir(f"{SOURCE}/targets")
                if os.path.exists(f"{SOURCE}/targets/{d}/target.inc")]
        self.assertGreater(len(keys), 5)
        # A key as a string in code: a decision that belongs into a target's folder. The two files
        # excepted translate to Highway's names of its own targets, which are the same words.
        pattern = re.compile(r'"(%s)"' % "|".join(map(re.escape, keys)))
        found = []
        for path in tracked(".h", ".cpp", ".c"):
            if path.split("/")[0] in ("targets", "tests") or path in HIGHWAY_NAMES:
                continue
            for number, line in enumerate(text(path).splitlines(), 1):
                if pattern.search(line) and not line.lstrip().startswith("//"):
                    found.append(f"{path}:{number}: names a target: {line.strip()}")
        self.faults(found)

    def test_nothing_made_by_a_machine_is_tracked(self):
        found = []
        for path in run("git", "ls-files", "-z").split("\0"):
            if re.search(r"\.(o|a|so|bc|pyc|exe|log)$|(^|/)build/|_generated\.", path):
                found.append(f"{path}: is made by a build")
            full = f"{SOURCE}/{path}"
            if path and os.path.isfile(full) and os.path.getsize(full) > 4_500_000:
                found.append(f"{path}: has {os.path.getsize(full)} bytes")
        self.faults(found)

    def test_no_paths_of_one_machine(self):
        home = re.compile("/(" + "|".join(["home", "root", "Users", "work", "mnt"]) + r")/[a-z]")
        found = []
        for path in tracked(*CODE, ".md", ".txt", ".py", ".sh", ".json", ".cmake", ".inc"):
            for number, line in enumerate(text(path).splitlines(), 1):
                # A folder of the repository or a URL may have such a name in the middle.
                hit = home.search(line)
                if hit and (hit.start() == 0 or line[hit.start() - 1] in " \"'=(:`<"):
                    found.append(f"{path}:{number}: {line.strip()}")
        self.faults(found)

    def test_every_package_has_a_reason(self):
        found = [line for line in text("packages.txt").splitlines()
                 if line.strip() and not line.startswith("#")
                 and not re.fullmatch(r"[a-z0-9][a-z0-9.+-]+ +# .{4,}", line)]
        self.faults(found)

    def test_every_folder_explains_itself(self):
        folders = {path.split("/")[0] for path in tracked(*CODE)}
        folders |= {os.path.dirname(p) for p in tracked(*CODE) if p.startswith("runtime/")}
        self.faults([f"{f}: has no README.md" for f in sorted(folders)
                     if not os.path.exists(f"{SOURCE}/{f}/README.md")])

    def test_format(self):
        if shutil.which("clang-format") is None:
            self.skipTest("clang-format is not installed")
        files = tracked(".h", ".cpp")
        result = subprocess.run(["clang-format", "--dry-run", *files], cwd=SOURCE,
                                capture_output=True, text=True)
        bad = sorted({line.split(":")[0] for line in result.stderr.splitlines()
                      if "clang-format-violations" in line})
        self.faults([f"{f}: clang-format -i {f}" for f in bad])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])

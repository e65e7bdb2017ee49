"""What a worker takes from itself before it runs the learner's code, by the kernel's own means.

`namespaces()` gives it processes, /tmp and users of its own, so that it sees and reaches no other worker; `limits()`
bounds memory, time, files and processes; `filter_calls()` has the kernel refuse further processes, signals to
others, sockets, mounts and debugging. Each says whether it held. Linux has all three, other systems `limits` at most.
The file system and the network are bubblewrap's part: see `sandbox`.
"""

import ctypes
import os
import platform
import struct
import sys

MEMORY, FILE, TMP, CPU_SECONDS = 4 << 30, 64 << 20, 64 << 20, 240  # bytes beyond what torch has, bytes, bytes, s

_NEW = 0x00020000 | 0x08000000 | 0x10000000 | 0x20000000  # mounts, IPC, users, processes
_PDEATHSIG, _NO_NEW_PRIVS, _SECCOMP, _DUMPABLE = 1, 38, 22, 4
_NOSUID_NODEV = 2 | 4
# Calls by their numbers on x86_64 and arm64; None where the machine has no such call.
_FORK = {"fork": (57, None), "vfork": (58, None)}
_REFUSED = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "socket": (41, 198), "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "chroot": (161, 51), "move_mount": (429, 429), "open_tree": (428, 428),
    "fsopen": (430, 430), "fspick": (433, 433), "mount_setattr": (442, 442), "bpf": (321, 280),
    "perf_event_open": (298, 241), "io_uring_setup": (425, 425), "userfaultfd": (323, 282), "keyctl": (250, 219),
    "add_key": (248, 217), "memfd_create": (319, 279), "shmget": (29, 194), "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438), "setpriority": (140, 140),
}  # fmt: skip
_SIGNALS = {"kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138),
            "rt_tgsigqueueinfo": (297, 240)}  # fmt: skip
_CLONE, _CLONE3, _CLONE_THREAD = (56, 220), (435, 435), 0x00010000
_MACHINE = {"x86_64": (0, 0xC000003E, 126), "aarch64": (1, 0xC00000B7, 91)}  # column, audit's number, capset


def namespaces() -> bool:
    """Leave the others' processes, users and mounts behind; the next child is the first process of a new world.

    Called with a single thread. Returns False where the kernel refuses.
    """
    uid, gid = os.getuid(), os.getgid()
    try:
        if _libc().unshare(_NEW):
            return False
        for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    except (OSError, AttributeError):
        return False
    return True


def furnish() -> bool:
    """In the new world: an empty /tmp and /dev/shm of bounded size, nothing of others in /proc."""
    libc = _libc()

    def mount(kind: str, where: str, options: str) -> bool:
        return libc.mount(kind.encode(), where.encode(), kind.encode(), _NOSUID_NODEV, options.encode() or None) == 0

    in_use = any(path.startswith("/tmp/") for path in sys.path)  # an odd place for a Python; then /tmp is read-only
    held = mount("tmpfs", "/var/tmp" if in_use else "/tmp", f"size={TMP},nr_inodes=4096")
    held &= mount("tmpfs", "/dev/shm", "size=16m,nr_inodes=256")
    held &= mount("proc", "/proc", "") or mount("tmpfs", "/proc", "size=4k,ro")
    os.chdir("/tmp")
    return held


def die_with_parent() -> None:
    """Be killed when the process that started this one is gone."""
    if sys.platform == "linux":
        _libc().prctl(_PDEATHSIG, 9, 0, 0, 0)


def limits() -> bool:
    """Bound memory, time, file size, open files and processes. Returns False where the system knows no limits."""
    try:
        import resource
    except ImportError:  # Windows
        return False
    bounds = {"CPU": CPU_SECONDS, "FSIZE": FILE, "NOFILE": 256, "CORE": 0, "NPROC": 256, "AS": _mapped() + MEMORY}
    for name, most in bounds.items():
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is None or (name in ("AS", "NPROC") and sys.platform != "linux"):
            continue  # macOS refuses to bound memory, and counts all of a user's processes
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))
    return True


def filter_calls() -> bool:
    """Have the kernel refuse what no answer needs; threads stay allowed. Returns False where it cannot."""
    if sys.platform != "linux" or platform.machine() not in _MACHINE:
        return False
    column, audit, capset = _MACHINE[platform.machine()]
    libc = _libc()
    libc.syscall(capset, struct.pack("Ii", 0x20080522, 0), bytes(24))  # no privileges, not even in the new world
    program = _program(column, audit, os.getpid())
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    head = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(code)))
    if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0):
        return False
    return libc.prctl(_SECCOMP, 2, ctypes.byref(head), 0, 0) == 0


def _program(column: int, audit: int, me: int) -> list[tuple[int, int, int, int]]:
    """The filter as the kernel reads it: (operation, jump if so, jump if not, operand), one test after the other."""
    load, equal, any_bit, above, answer = 0x20, 0x15, 0x45, 0x35, 0x06
    allow, kill, refuse, unknown = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026  # EPERM; ENOSYS
    number, machine, argument = 0, 4, (16, 24)
    lines = [(load, 0, 0, machine), (equal, 1, 0, audit), (answer, 0, 0, kill), (load, 0, 0, number)]
    if column == 0:
        lines += [(above, 0, 1, 0x40000000), (answer, 0, 0, kill)]  # the x32 numbers are another door
    for call in [*_FORK.values(), *_REFUSED.values()]:
        if (known := call[column]) is not None:
            lines += [(equal, 0, 1, known), (answer, 0, 0, refuse)]
    lines += [(equal, 0, 1, _CLONE3[column]), (answer, 0, 0, unknown)]  # libraries then use clone, which can be read
    lines += [(equal, 0, 4, _CLONE[column]), (load, 0, 0, argument[0]), (any_bit, 1, 0, _CLONE_THREAD),
              (answer, 0, 0, refuse), (answer, 0, 0, allow)]  # fmt: skip
    for call in _SIGNALS.values():
        lines += [(equal, 0, 4, call[column]), (load, 0, 0, argument[0]), (equal, 1, 0, me),
                  (answer, 0, 0, refuse), (answer, 0, 0, allow)]  # fmt: skip
    return [*lines, (answer, 0, 0, allow)]


def _mapped() -> int:
    """Bytes of address space in use."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 8 << 30


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)

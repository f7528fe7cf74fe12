# An interpreter that has imported what steps want, and forks for each of them into the step's namespaces.
#
# The supervisor starts it: descriptor 3 is the socket at which inits ask (node/init/python_fork.h tells how), the arguments are modules to import. Here
# runs only this and what those modules do as they are imported. What a step is told is read after the fork, so that no step finds anything of another
# one in its memory; its program has the step's rights and none of ours.
import _socket
import atexit
import ctypes
import gc
import importlib
import io
import os
import runpy
import signal
import site
import sys
import time

AT_START = frozenset(sys.modules) - {"_socket", "atexit", "ctypes", "gc", "importlib", "runpy", "signal"}  # what any interpreter has
LISTENER, SOURCE = 3, 4
CLONE_NEWPID = 0x20000000
PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 4, 24, 47, 4
CAP_SYS_ADMIN = 21
CAPABILITY_VERSION_3 = 0x20080522
MOST_REQUEST_BYTES = 1 << 18
MOST_DESCRIPTORS = 16
FLUSH_FAILED = 120  # Python's exit code for output that could not be written
FORK_SERVER = "<tiphys>"  # the name of this file's code
# What short programs import, and is quick to have.
STANDARD = ("argparse", "collections", "dataclasses", "datetime", "functools", "json", "math", "pathlib", "random", "re", "subprocess", "tempfile", "typing")

libc = ctypes.CDLL(None, use_errno=True)


def check(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


# What is kept: the interpreter with its modules, as long as they are those on disk.


def import_modules(names):
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as wrong:  # the step that needs it will say so as well
            print(f"tiphys: {sys.executable} cannot import {name} beforehand: {type(wrong).__name__}: {wrong}", file=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()


def stamp(path):
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def stamps():
    """Of all that would make another interpreter of this one."""
    own = os.path.dirname(os.__file__) + os.sep
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    foreign = [file for file in files if isinstance(file, str) and (not file.startswith(own) or "-packages" + os.sep in file)]
    return {path: stamp(path) for path in [sys.executable, os.path.join(sys.prefix, "pyvenv.cfg"), *sys.path, *foreign]}


def is_current(known):
    return all(stamp(path) == before for path, before in known.items())


# One step after another: each gets a child of its own, which becomes its init's.


def receive(connection, most_bytes):
    data, control, _, _ = connection.recvmsg(most_bytes, _socket.CMSG_SPACE(4 * MOST_DESCRIPTORS))
    descriptors = [fd for level, kind, part in control if (level, kind) == (_socket.SOL_SOCKET, _socket.SCM_RIGHTS) for fd in memoryview(part).cast("i")]
    return data, descriptors


def serve(known):
    """Returns in the child of each step, with the step; in this process when it is not what is on disk any more."""
    listener = _socket.socket(fileno=LISTENER)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for who has left: until that is done a step's init could not end
    while True:
        connection = _socket.socket(fileno=listener._accept()[0])
        if not is_current(known):
            return None
        pids, child = [], None
        try:
            _, pids = receive(connection, 1)
            check(libc.setns(pids[0], CLONE_NEWPID))  # of the children from here on: an ordinary user cannot go back
            child = os.fork()
        except (OSError, IndexError):
            pass  # its init has ended
        for descriptor in pids:
            os.close(descriptor)
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            return become_step(connection)
        connection.close()


class Reader:
    """As node/supervisor/bytes.h writes."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self, size):
        self.at += size
        return int.from_bytes(self.data[self.at - size : self.at], sys.byteorder)

    def text(self):
        size = self.number(4)
        self.at += size
        return self.data[self.at - size : self.at]

    def texts(self):
        return [self.text() for _ in range(self.number(4))]


class Step:
    def __init__(self, data):
        reader = Reader(data)
        self.argv, self.environment = reader.texts(), reader.texts()
        self.working_dir = reader.text()
        self.set_user, self.uid, self.gid = reader.number(1), reader.number(4), reader.number(4)
        self.capabilities, self.address_space_bytes = reader.number(8), reader.number(8)


def become_step(connection):
    """In the step's process namespace: enters the others, and leaves a child to the init there. Before the init has answered nothing of the step has run,
    and it may run it itself."""
    try:
        data, (out, err, *others) = receive(connection, MOST_REQUEST_BYTES)
        step = Step(data)
        spaces, groups = others[:3], others[3:]
        for space in spaces:
            check(libc.setns(space, 0))
        if os.fork():
            os._exit(0)
        while os.getppid() != 1:  # it is about to leave us to the init, whose child the program finds itself
            os.sched_yield()
        os.setsid()
        os.dup2(out, 1)
        os.dup2(err, 2)
        for group in groups:
            os.write(group, b"0")
        for descriptor in (out, err, *others):
            os.close(descriptor)
        limit(step)
        connection.send(os.getpid().to_bytes(4, sys.byteorder))
        if not connection.recv(1):
            os._exit(1)
        connection.close()
    except BaseException as wrong:
        print(f"tiphys: a step starts an interpreter of its own: {type(wrong).__name__}: {wrong}", file=sys.__stderr__, flush=True)
        os._exit(1)
    return step


def limit(step):
    os.umask(0o022)
    os.chdir(step.working_dir)
    check(libc.prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN, 0, 0, 0))
    check(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
    if step.set_user:
        os.setgroups([])
        os.setresgid(step.gid, step.gid, step.gid)
        os.setresuid(step.uid, step.uid, step.uid)
    # What running a program would have left. Sets are effective, permitted and inheritable of the lower 32, then of the others.
    header, sets = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)()
    check(libc.capget(header, sets))
    low, high = step.capabilities & sets[1], step.capabilities >> 32 & sets[4]
    check(libc.capset(header, (ctypes.c_uint32 * 6)(low, low, 0, high, high, 0)))
    check(libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))  # as a program is that was run by this user
    if step.address_space_bytes:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (step.address_space_bytes, step.address_space_bytes))


# The step's process: what a new interpreter would find, this one finds.


class Command:
    """Of `python [-u] FILE|-c CODE|-m MODULE [ARGUMENTS]`, as node/python/python_command.h takes it."""

    def __init__(self, argv):
        words = [os.fsdecode(word) for word in argv]
        self.whole = words
        self.unbuffered = bool(os.environ.get("PYTHONUNBUFFERED"))
        words = words[1:]
        while words[0] == "-u":
            self.unbuffered = True
            words = words[1:]
        self.flag = words[0] if words[0] in ("-c", "-m") else ""
        self.text = words[1] if self.flag else words[0]
        self.arguments = words[2:] if self.flag else words[1:]


def variables(entries):
    """The first of a name counts."""
    found = {}
    for entry in entries:
        name, _, value = entry.partition(b"=")
        if name:
            found.setdefault(name, value)
    return found


def set_environment(given):
    coerced = os.environb.get(b"LC_CTYPE")  # Python's own doing: we were given none
    os.environ.clear()
    os.environb.update(given)
    if coerced:
        os.environb.setdefault(b"LC_CTYPE", coerced)
    time.tzset()


def open_stream(fd, name, mode, like, unbuffered):
    binary = io.open(fd, mode + "b", 0 if unbuffered and mode == "w" else -1, closefd=False)
    raw = getattr(binary, "raw", binary)
    raw.name = name
    lines = not unbuffered and (raw.isatty() or fd == 2)
    text = io.TextIOWrapper(binary, like.encoding, like.errors, "\n", lines, unbuffered)
    text.mode = mode
    return text


def open_streams(unbuffered):
    sys.stdin = sys.__stdin__ = open_stream(0, "<stdin>", "r", sys.__stdin__, unbuffered)
    sys.stdout = sys.__stdout__ = open_stream(1, "<stdout>", "w", sys.__stdout__, unbuffered)
    sys.stderr = sys.__stderr__ = open_stream(2, "<stderr>", "w", sys.__stderr__, unbuffered)


def origin(name):
    module = sys.modules.get(name)
    return getattr(getattr(module, "__spec__", None), "origin", None) or ""


def hides(folder, imported):
    """A folder that comes before those of the modules that are imported already has one of these names."""
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return False
    place = os.path.join(os.path.realpath(folder), "")
    parts = (name.partition(".") for name in names)
    stems = {stem for stem, _, suffix in parts if stem in imported and (not suffix or suffix.endswith(("py", "pyc", "so")))}
    return any(origin(stem) not in ("built-in", "frozen") and not origin(stem).startswith(place) for stem in stems)


def set_path(first):
    """sys.path as a new interpreter has it. False when it would import something else than we have."""
    imported = {name for name in sys.modules if "." not in name and name != "__main__"}
    given = os.environ.get("PYTHONPATH", "")
    folders = [os.path.abspath(folder) for folder in given.split(os.pathsep)] if given else []
    if any(hides(folder, imported | {"sitecustomize", "usercustomize"}) for folder in folders if folder not in sys.path):
        return False
    if hides(first, imported - AT_START):
        return False
    sys.path[:] = [first, *dict.fromkeys([*folders, *sys.path])]
    if site.ENABLE_USER_SITE:
        site.USER_BASE = site.USER_SITE = None
        return not os.path.isdir(site.getusersitepackages())
    return True


def reseed():
    """random does it by itself."""
    numbers = sys.modules.get("numpy.random")
    if numbers:
        numbers.seed()


def first_path(command):
    if command.flag == "-c":
        return ""
    return os.getcwd() if command.flag == "-m" else os.path.dirname(os.path.realpath(command.text))


def compiled(command):
    """The program, to be called."""
    main = sys.modules["__main__"].__dict__
    sys.argv = [command.flag or command.text, *command.arguments]
    if command.flag == "-m":
        return lambda: runpy._run_module_as_main(command.text)
    if command.flag == "-c":
        code = compile(command.text + "\n", "<string>", "exec", dont_inherit=True)
    else:
        path = command.text if os.path.isabs(command.text) else os.path.join(os.getcwd(), command.text)
        with io.open_code(path) as file:
            code = compile(file.read(), path, "exec", dont_inherit=True)
        loader = importlib.machinery.SourceFileLoader("__main__", path)
        main.update(__file__=path, __cached__=None, __loader__=loader)
    return lambda: exec(code, main)


def start_anew(command, environment):
    """What this interpreter cannot be is one that is started."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    os.execve(sys.executable, command.whole, environment)


def prepare(step):
    environment = variables(step.environment)
    set_environment(environment)
    command = Command(step.argv)
    open_streams(command.unbuffered)
    if hasattr(sys, "orig_argv"):
        sys.orig_argv = list(command.whole)
    try:
        program = compiled(command) if set_path(first_path(command)) else None
    except (OSError, SyntaxError, ValueError):  # it is no text of Python: the interpreter says what, in its own words
        program = None
    if program is None:
        start_anew(command, environment)
    reseed()
    return program


def tell(error):
    """As the interpreter does of what nobody has caught, without our own part of the stack."""
    trace = error.__traceback__
    while trace and trace.tb_frame.f_code.co_filename == FORK_SERVER:
        trace = trace.tb_next
    error.__traceback__ = trace
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, trace
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    sys.excepthook(type(error), error, trace)


def exit_code(leaving):
    """As the interpreter takes what sys.exit() was given."""
    if leaving.code is None or isinstance(leaving.code, int):
        return (leaving.code or 0) & 0xFF
    print(leaving.code, file=sys.stderr)
    return 1


def run(program):
    """Its exit code, or the signal that it ends by, below zero."""
    try:
        program()
    except SystemExit as leaving:
        return exit_code(leaving)
    except BaseException as error:
        tell(error)
        return -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1
    return 0


def flush_streams():
    well = True
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream and not stream.closed:
                stream.flush()
        except Exception as wrong:
            well = False
            print(f"Exception ignored in: {stream!r}\n{type(wrong).__name__}: {wrong}", file=sys.__stderr__)
    return well


def finish(code, imported):
    """What an interpreter does as it ends, but for what it has imported before the program, which is left alone: to take that apart would take longer than
    all else. `imported` are the names of these modules."""
    for last in (getattr(sys.modules.get("threading"), "_shutdown", None), atexit._run_exitfuncs):
        try:
            if last:
                last()
        except BaseException as error:
            if last is not atexit._run_exitfuncs:  # it has told
                tell(error)
    well = flush_streams()
    for name in [name for name in sys.modules if name not in imported]:
        del sys.modules[name]
    main = sys.modules["__main__"].__dict__
    for name in [name for name in main if name != "__builtins__"]:
        main[name] = None
    gc.collect()
    well = flush_streams() and well
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    ctypes.PyDLL(None).exit(code if well else FLUSH_FAILED)


sys.path[:] = [folder for folder in sys.path if folder]  # not where it was started
os.close(SOURCE)
import_modules([*STANDARD, *sys.argv[1:]])
gc.collect()
gc.freeze()
found = serve(stamps())
if found:
    known = frozenset(sys.modules)
    finish(run(prepare(found)), known)

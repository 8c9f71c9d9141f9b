//! A recorder of system calls: runs this program again as a traced child and keeps what its folder looks like at
//! every sync.
//!
//! It uses `ptrace` and not a preloaded library, because the engine renames by raw system calls. File contents are not
//! followed write by write: the child is stopped, so the folder itself tells.
#![expect(
    unsafe_code,
    reason = "ptrace has no safe interface in the standard library"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Tells the child that it is one, and which folder to use.
pub(crate) const CHILD_VARIABLE: &str = "MESSINA_POWER_LOSS_FOLDER";

/// Why nothing could be recorded on this machine.
#[derive(Debug)]
pub(crate) struct Unavailable(pub(crate) String);

/// A file, whatever its name; a new file with an old inode number is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileId(u64);

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Folder,
    File(FileId),
}

/// What a sync is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Folder(PathBuf),
    File(FileId),
    /// The end of the run.
    Nothing,
}

/// The folder as the child sees it just before a sync.
pub(crate) struct Moment {
    pub(crate) names: BTreeMap<PathBuf, Node>,
    pub(crate) contents: BTreeMap<FileId, Arc<Vec<u8>>>,
    pub(crate) target: Target,
    /// Steps that the child had been told were done.
    pub(crate) acknowledged: usize,
}

/// The recorded folder, followed from one change to the next.
struct Follower {
    root: PathBuf,
    names: BTreeMap<PathBuf, Node>,
    /// Which file has an inode number now.
    inodes: BTreeMap<u64, FileId>,
    next: u64,
}

impl Follower {
    /// Looks at the names again, after a system call that may have changed them.
    fn rescan(&mut self) -> io::Result<()> {
        let mut names = BTreeMap::new();
        let mut inodes = BTreeMap::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let path = entry?.path();
                let metadata = fs::symlink_metadata(&path)?;
                if metadata.is_dir() {
                    names.insert(path.clone(), Node::Folder);
                    folders.push(path);
                    continue;
                }
                let known = inodes
                    .get(&metadata.ino())
                    .or_else(|| self.inodes.get(&metadata.ino()));
                let id = known.copied().unwrap_or_else(|| {
                    self.next += 1;
                    FileId(self.next)
                });
                inodes.insert(metadata.ino(), id);
                names.insert(path, Node::File(id));
            }
        }
        (self.names, self.inodes) = (names, inodes);
        Ok(())
    }

    fn moment(&self, target: Target, acknowledged: usize) -> io::Result<Moment> {
        let mut contents = BTreeMap::new();
        for (path, node) in &self.names {
            if let Node::File(id) = node {
                contents.insert(*id, Arc::new(fs::read(path)?));
            }
        }
        Ok(Moment {
            names: self.names.clone(),
            contents,
            target,
            acknowledged,
        })
    }

    /// What the child's descriptor is, if it lies in the recorded folder.
    fn target(&self, child: u32, descriptor: u64) -> Option<Target> {
        let link = PathBuf::from(format!("/proc/{child}/fd/{descriptor}"));
        let path = fs::read_link(&link).ok()?;
        if !path.starts_with(&self.root) {
            return None;
        }
        let metadata = fs::metadata(&link).ok()?;
        if metadata.is_dir() {
            return Some(Target::Folder(path));
        }
        self.inodes.get(&metadata.ino()).copied().map(Target::File)
    }
}

/// One stop of the child.
enum Stop {
    Entry { call: u64, first: u64 },
    Exit { result: i64 },
    Other,
}

/// Runs the child to its end and returns a moment for each sync, and one for the end.
pub(crate) fn record(root: &Path) -> Result<Vec<Moment>, Unavailable> {
    let root = root
        .canonicalize()
        .map_err(|error| Unavailable(format!("no folder: {error}")))?;
    let program =
        std::env::current_exe().map_err(|error| Unavailable(format!("no program: {error}")))?;
    let mut command = Command::new(program);
    command.env(CHILD_VARIABLE, &root).stdout(Stdio::null());
    // SAFETY: the closure makes one system call, which is safe between fork and exec.
    unsafe {
        command.pre_exec(|| match libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        });
    }
    let child = command
        .spawn()
        .map_err(|error| Unavailable(format!("tracing is not allowed: {error}")))?;
    let mut follower = Follower {
        root,
        names: BTreeMap::new(),
        inodes: BTreeMap::new(),
        next: 0,
    };
    follow(child.id(), &mut follower)
        .map_err(|error| Unavailable(format!("tracing failed: {error}")))
}

fn follow(child: u32, follower: &mut Follower) -> io::Result<Vec<Moment>> {
    let pid = libc::pid_t::try_from(child).map_err(io::Error::other)?;
    let mut moments = Vec::new();
    let mut acknowledged = 0;
    let mut entered = None;
    wait(pid)?;
    let options = libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_EXITKILL;
    request(libc::PTRACE_SETOPTIONS, pid, options)?;
    let mut signal = 0;
    loop {
        request(libc::PTRACE_SYSCALL, pid, signal)?;
        let status = wait(pid)?;
        if libc::WIFEXITED(status) || libc::WIFSIGNALED(status) {
            break;
        }
        signal = match libc::WSTOPSIG(status) {
            stop if stop == libc::SIGTRAP | 0x80 => 0,
            other => other,
        };
        if signal != 0 {
            continue;
        }
        match stop(pid)? {
            Stop::Entry { call, first } => {
                entered = Some((call, first));
                if is_sync(call)
                    && let Some(target) = follower.target(child, first)
                {
                    moments.push(follower.moment(target, acknowledged)?);
                }
            }
            Stop::Exit { result } => match entered.take() {
                Some((call, 1)) if call == number(libc::SYS_write) => {
                    acknowledged += usize::try_from(result).unwrap_or(0);
                }
                Some((call, _)) if result >= 0 && changes_names(call) => follower.rescan()?,
                Some(_) | None => {}
            },
            Stop::Other => {}
        }
    }
    moments.push(follower.moment(Target::Nothing, acknowledged)?);
    Ok(moments)
}

fn number(call: libc::c_long) -> u64 {
    u64::try_from(call).unwrap_or(u64::MAX)
}

fn is_sync(call: u64) -> bool {
    [libc::SYS_fsync, libc::SYS_fdatasync]
        .into_iter()
        .any(|sync| number(sync) == call)
}

/// Calls that may add or remove a name; those of older kernels exist on some processors only.
fn changes_names(call: u64) -> bool {
    let calls = [
        libc::SYS_openat,
        libc::SYS_renameat2,
        libc::SYS_unlinkat,
        libc::SYS_mkdirat,
        libc::SYS_linkat,
    ];
    #[cfg(target_arch = "x86_64")]
    let older = [
        libc::SYS_open,
        libc::SYS_creat,
        libc::SYS_rename,
        libc::SYS_renameat,
        libc::SYS_unlink,
        libc::SYS_rmdir,
        libc::SYS_mkdir,
        libc::SYS_link,
    ];
    #[cfg(not(target_arch = "x86_64"))]
    let older = [];
    calls
        .into_iter()
        .chain(older)
        .any(|changing| number(changing) == call)
}

fn request(request: libc::c_uint, pid: libc::pid_t, data: libc::c_int) -> io::Result<()> {
    // SAFETY: these requests take numbers only, and the child is ours and stopped.
    let done = unsafe { libc::ptrace(request, pid, 0, libc::c_long::from(data)) };
    if done == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

fn wait(pid: libc::pid_t) -> io::Result<libc::c_int> {
    let mut status = 0;
    // SAFETY: `status` lives as long as the call.
    let waited = unsafe { libc::waitpid(pid, &raw mut status, 0) };
    if waited == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(status)
    }
}

/// Asks why the child stopped.
fn stop(pid: libc::pid_t) -> io::Result<Stop> {
    // SAFETY: all bytes zero is a value of this structure of numbers.
    let mut info: libc::ptrace_syscall_info = unsafe { std::mem::zeroed() };
    let size = size_of::<libc::ptrace_syscall_info>();
    // SAFETY: the kernel writes at most `size` bytes into `info`.
    let got = unsafe { libc::ptrace(libc::PTRACE_GET_SYSCALL_INFO, pid, size, &raw mut info) };
    if got == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(match info.op {
        libc::PTRACE_SYSCALL_INFO_ENTRY => {
            // SAFETY: the kernel says that this member was written.
            let entry = unsafe { info.u.entry };
            Stop::Entry {
                call: entry.nr,
                first: entry.args[0],
            }
        }
        libc::PTRACE_SYSCALL_INFO_EXIT => {
            // SAFETY: the kernel says that this member was written.
            let exit = unsafe { info.u.exit };
            Stop::Exit { result: exit.sval }
        }
        _ => Stop::Other,
    })
}

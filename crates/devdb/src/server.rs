//! The server: joined when it runs, started when it doesn't, and gone with its last user.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, Write},
    os::unix::{
        fs::{OpenOptionsExt, chown},
        net::UnixStream,
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use crate::{
    Error,
    account::{Account, command, private_dir, unprivileged, unreachable_ancestor},
    binaries_or_fetch,
};

const SUPERVISOR: &str = include_str!("supervisor.sh");
/// What the system allows for the path of a socket.
const SOCKET_PATH: usize = 107;
const SOCKET: &str = ".s.PGSQL.5432";
/// The owner of the cluster.
pub(crate) const OWNER: &str = "linli_owner";

/// How the server is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory that is the server's alone.
    pub dir: PathBuf,
    /// Whether data must survive a crash of the machine; tests do without.
    pub durable: bool,
    /// Connections at most.
    pub connections: u32,
}

/// A running server. It stays as long as any process holds one of these.
#[derive(Debug)]
pub struct Server {
    /// Where its socket is.
    pub socket_dir: PathBuf,
    /// The password of its owner.
    pub password: String,
    /// Whether it ran already.
    pub joined: bool,
    _alive: File,
}

impl Server {
    /// Joins the server that lives in `options.dir`, or starts it. Everything between happens under one file lock.
    ///
    /// # Errors
    /// When there is no Postgres, the directory can't be used, or the server doesn't start.
    pub fn join_or_start(options: &Options) -> Result<Server, Error> {
        let owner = unprivileged();
        private_dir(&options.dir, owner)
            .map_err(Error::io(format!("preparing {}", options.dir.display())))?;
        let dir = options.dir.canonicalize().map_err(Error::io("resolving the directory"))?;
        if let Some(ancestor) = owner.and_then(|account| unreachable_ancestor(&dir, account)) {
            return Err(Error::Unreachable { ancestor });
        }
        let socket_dir = socket_dir(&dir);
        private_dir(&socket_dir, owner).map_err(Error::io(format!("preparing {}", socket_dir.display())))?;
        let place = Place { dir, socket_dir, owner };
        place.join_or_start(options)
    }

    /// A URL for `role` with `password` on `database`.
    pub fn url(&self, role: &str, password: &str, database: &str) -> String {
        format!("postgres://{role}:{password}@localhost/{database}?host={}", self.socket_dir.display())
    }

    /// A URL for the owner.
    pub fn owner_url(&self, database: &str) -> String {
        self.url(OWNER, &self.password, database)
    }

    /// Creates `database` unless it is there.
    ///
    /// # Errors
    /// What Postgres answered.
    pub async fn ensure_database(&self, database: &str) -> Result<(), Error> {
        use sqlx::Connection;
        let mut connection = sqlx::PgConnection::connect(&self.owner_url("postgres")).await?;
        let exists: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
            .bind(database)
            .fetch_one(&mut connection)
            .await?;
        if !exists {
            let create = format!("create database \"{}\"", database.replace('"', ""));
            sqlx::raw_sql(sqlx::AssertSqlSafe(create)).execute(&mut connection).await?;
        }
        connection.close().await?;
        Ok(())
    }
}

/// The socket's directory: in the server's, or, when that is too deep for a socket, a short one named after it.
fn socket_dir(dir: &Path) -> PathBuf {
    use sha2::{Digest, Sha256};
    let inside = dir.join("s");
    if inside.as_os_str().len() + 1 + SOCKET.len() <= SOCKET_PATH {
        return inside;
    }
    let digest = Sha256::digest(dir.as_os_str().as_encoded_bytes());
    Path::new("/tmp").join(format!("linli-{}", hex::encode(&digest[..8])))
}

struct Place {
    dir: PathBuf,
    socket_dir: PathBuf,
    owner: Option<Account>,
}

impl Place {
    fn join_or_start(&self, options: &Options) -> Result<Server, Error> {
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(self.dir.join("lock"))
            .map_err(Error::io("opening the lock"))?;
        lock.lock().map_err(Error::io("locking"))?; // the kernel frees it with the process
        let mut password = String::new();
        lock.read_to_string(&mut password).map_err(Error::io("reading the lock"))?;
        if let Some(alive) = self.try_join()? {
            return Ok(Server { socket_dir: self.socket_dir.clone(), password, joined: true, _alive: alive });
        }
        self.wait_gone()?;
        let bin = binaries_or_fetch()?;
        if !self.data().join("PG_VERSION").exists() {
            password = uuid::Uuid::new_v4().simple().to_string();
            self.initialise(&bin, &password, options.durable)?;
            let written = lock
                .set_len(0)
                .and_then(|()| lock.rewind())
                .and_then(|()| lock.write_all(password.as_bytes()));
            written.and_then(|()| lock.sync_all()).map_err(Error::io("keeping the password"))?;
            fs::rename(self.dir.join("data.new"), self.data()).map_err(Error::io("placing the data"))?;
        }
        let mut child = self.start(&bin, options)?;
        // waits until the reader has opened its end: from here on the server can't outlive us
        let alive =
            OpenOptions::new().write(true).open(self.alive()).map_err(Error::io("opening the FIFO"))?;
        self.wait_ready(&mut child)?;
        Ok(Server { socket_dir: self.socket_dir.clone(), password, joined: false, _alive: alive })
    }

    fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    fn alive(&self) -> PathBuf {
        self.dir.join("alive")
    }

    fn socket(&self) -> PathBuf {
        self.socket_dir.join(SOCKET)
    }

    /// `initdb` beside; the caller renames, so that the data is whole or absent.
    fn initialise(&self, bin: &Path, password: &str, durable: bool) -> Result<(), Error> {
        let (new, pw) = (self.dir.join("data.new"), self.dir.join("pw"));
        for old in [&new, &self.data()] {
            if old.exists() {
                fs::remove_dir_all(old).map_err(Error::io(format!("clearing {}", old.display())))?; // cut off
            }
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&pw)
            .map_err(Error::io("keeping a password"))?;
        file.write_all(password.as_bytes()).map_err(Error::io("keeping a password"))?;
        if let Some(owner) = self.owner {
            chown(&pw, Some(owner.uid), Some(owner.gid)).map_err(Error::io("handing over the password"))?;
        }
        let mut initdb = command(&bin.join("initdb"), self.owner);
        initdb.arg("-D").arg(&new).arg("--pwfile").arg(&pw).args([
            "-U",
            OWNER,
            "-A",
            "scram-sha-256",
            "-E",
            "UTF8",
            "--no-locale",
            "--data-checksums",
        ]);
        if !durable {
            initdb.arg("--no-sync");
        }
        let out = initdb.stdin(Stdio::null()).output().map_err(Error::io("running initdb"))?;
        fs::remove_file(&pw).map_err(Error::io("removing the password"))?;
        if out.status.success() {
            return Ok(());
        }
        Err(Error::Tool {
            tool: "initdb",
            dir: self.dir.clone(),
            output: String::from_utf8_lossy(&out.stderr).into_owned(),
        })
    }

    fn start(&self, bin: &Path, options: &Options) -> Result<Child, Error> {
        if !self.alive().exists() {
            let made = command(Path::new("/usr/bin/mkfifo"), self.owner)
                .args(["-m", "600"])
                .arg(self.alive())
                .status();
            made.map_err(Error::io("running mkfifo"))?;
        }
        let log = OpenOptions::new()
            .append(true)
            .create(true)
            .open(self.dir.join("log"))
            .map_err(Error::io("opening the log"))?;
        let errors = log.try_clone().map_err(Error::io("opening the log"))?;
        let mut shell = command(Path::new("/bin/sh"), self.owner);
        shell
            .args(["-c", SUPERVISOR, "devdb"])
            .arg(bin.join("postgres"))
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(&self.socket_dir);
        shell.args(["-c", "listen_addresses=", "-c", "port=5432", "-c", "shared_buffers=64MB"]);
        shell.args(["-c", &format!("max_connections={}", options.connections)]);
        if !options.durable {
            shell.args(["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]);
        }
        shell
            .env("ALIVE", self.alive())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .process_group(0) // Ctrl-C in the terminal is for us: we drain, then Postgres stops
            .spawn()
            .map_err(Error::io("starting Postgres"))
    }

    /// Ready is what `postmaster.pid` says *and* what the socket answers: a killed server leaves both files.
    fn wait_ready(&self, child: &mut Child) -> Result<(), Error> {
        let start = Instant::now();
        let failed = |output: String| Error::Tool { tool: "postgres", dir: self.dir.clone(), output };
        loop {
            let said = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
            let ready = said.lines().nth(7).is_some_and(|line| line.trim() == "ready");
            if ready && UnixStream::connect(self.socket()).is_ok() {
                return Ok(());
            }
            if child.try_wait().map_err(Error::io("watching Postgres"))?.is_some() {
                let log = fs::read_to_string(self.dir.join("log")).unwrap_or_default();
                let last: Vec<&str> = log.lines().rev().take(5).collect();
                return Err(failed(last.into_iter().rev().collect::<Vec<_>>().join("\n")));
            }
            if start.elapsed() > Duration::from_secs(60) {
                return Err(failed("not ready after 60 s".to_owned()));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn try_join(&self) -> Result<Option<File>, Error> {
        use rustix::{
            fs::{Mode, OFlags, open},
            io::{Errno, ioctl_fionread},
        };
        let mut alive =
            match open(self.alive(), OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()) {
                Ok(fd) => File::from(fd),
                Err(Errno::NXIO | Errno::NOENT) => return Ok(None),
                Err(error) => return Err(Error::io("opening the FIFO")(error.into())),
            };
        // A byte that is taken away proves that the reader still reads; one that has seen the end never does again.
        if alive.write_all(b".").is_err() {
            return Ok(None);
        }
        for _ in 0..200 {
            let left = ioctl_fionread(&alive)
                .map_err(|error| Error::io("asking the FIFO")(io::Error::from(error)))?;
            if left == 0 {
                return Ok(UnixStream::connect(self.socket()).is_ok().then_some(alive));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(None)
    }

    /// A former server may still be on its way down; its own `postmaster.pid` says so.
    fn wait_gone(&self) -> Result<(), Error> {
        let start = Instant::now();
        while let Ok(text) = fs::read_to_string(self.data().join("postmaster.pid")) {
            let pid: i32 = text.lines().next().and_then(|line| line.trim().parse().ok()).unwrap_or(0);
            let Some(process) = rustix::process::Pid::from_raw(pid) else { return Ok(()) };
            // gone, or another program under that number: Postgres itself clears the stale file
            if fs::read_link(format!("/proc/{pid}/cwd")).ok() != Some(self.data()) {
                return Ok(());
            }
            if start.elapsed() > Duration::from_secs(5) {
                let _ = rustix::process::kill_process(process, rustix::process::Signal::INT);
            }
            if start.elapsed() > Duration::from_secs(30) {
                let output = format!("process {pid} still holds the data after 30 s");
                return Err(Error::Tool { tool: "postgres", dir: self.dir.clone(), output });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

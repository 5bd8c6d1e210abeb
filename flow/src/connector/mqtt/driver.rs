//! The task behind a source or a sink: sockets and clocks for a [`Session`].

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Sleep, sleep_until, timeout};
use tracing::debug;

use super::backoff::Backoff;
use super::buffers::{Input, Output};
use super::journal::Journal;
use super::pace::{Pace, Turn};
use super::session::{Event, Lost, Part, Remedy, Session};
use super::settings::{Address, Settings, random};
use super::socket::Socket;
use super::tuning::Tuning;
use crate::error::{Error, ErrorKind};
use crate::record::time::now_micros;

/// How long a good-bye may take.
const GOOD_BYE: Duration = Duration::from_secs(2);

/// What the component and its task share.
struct Link {
    session: Mutex<Session>,
    /// Wakes the task.
    work: Notify,
    /// Wakes the component.
    news: Notify,
}

impl Link {
    fn session(&self) -> MutexGuard<'_, Session> {
        // A session whose holder has panicked has failed: see `Last`.
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session with a task that keeps it connected. Dropping it ends both.
pub(crate) struct Connection {
    link: Arc<Link>,
    task: JoinHandle<()>,
}

impl Connection {
    /// Starts the task, inside a tokio runtime.
    pub(crate) fn open(settings: Settings, part: Part) -> Self {
        let Settings { address, connect_timeout, profile, context } = settings;
        let silence =
            (profile.keep_alive > 0).then(|| Duration::from_secs(profile.keep_alive.into()) * 3 / 2);
        let link = Arc::new(Link {
            session: Mutex::new(Session::new(profile, part, Instant::now())),
            work: Notify::new(),
            news: Notify::new(),
        });
        let journal = Journal::new(context, address.to_string());
        let place = Place { address, connect_timeout, silence };
        let task = tokio::spawn(run(Last(Arc::clone(&link)), place, journal));
        Self { link, task }
    }

    /// Runs `action` on the session. What it leaves to do needs [`Connection::wake`].
    pub(crate) fn look<T>(&self, action: impl FnOnce(&mut Session) -> T) -> T {
        action(&mut self.link.session())
    }

    /// Tells the task that there is something to do.
    pub(crate) fn wake(&self) {
        self.link.work.notify_one();
    }

    /// Waits until `look` finds something in the session, or the session has failed for good.
    ///
    /// # Cancel safety
    /// Cancel safe: the session is looked at before every wait, and what `look` finds is returned at once.
    pub(crate) async fn wait<T>(&self, mut look: impl FnMut(&mut Session) -> Option<T>) -> Result<T, Error> {
        loop {
            {
                let mut session = self.link.session();
                if let Some(found) = look(&mut session) {
                    return Ok(found);
                }
                if let Some(error) = session.failure() {
                    return Err(error);
                }
            }
            self.link.news.notified().await;
        }
    }

    /// Says good-bye and waits for the end of the task.
    pub(crate) async fn close(mut self) {
        self.look(Session::close);
        self.wake();
        // The task ends by itself; that it panicked was logged where it did.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Whatever ends the task, the component must not wait for it any longer.
struct Last(Arc<Link>);

impl Drop for Last {
    fn drop(&mut self) {
        self.0.session().fail(ErrorKind::Closed, "the connection's task has ended".into());
        self.0.news.notify_one();
    }
}

/// Where the broker is, and what patience there is with it.
struct Place {
    address: Address,
    connect_timeout: Duration,
    /// After which a connection counts as dead.
    silence: Option<Duration>,
}

/// Connects, and connects again, until the component says good-bye.
async fn run(last: Last, place: Place, mut journal: Journal) {
    let link = &*last.0;
    let mut backoff = Backoff::default();
    loop {
        let mut online = None;
        let ended = attempt(link, &place, &mut journal, &mut online).await;
        let (over, largest) = {
            let mut session = link.session();
            session.lost();
            (session.is_closing(), session.largest_unconfirmed())
        };
        let lived = online.map(|since: Instant| since.elapsed());
        let remedy = match ended {
            Ok(()) => {
                debug!(component = journal.component(), "said good-bye");
                Remedy::Wait
            }
            Err(lost) => {
                journal.lost(&lost, lived, largest);
                lost.remedy()
            }
        };
        if over {
            return;
        }
        let again = backoff.next(Instant::now(), lived.unwrap_or_default(), remedy, random());
        loop {
            tokio::select! {
                () = sleep_until(again.into()) => break,
                () = link.work.notified() => if link.session().is_closing() { return },
            }
        }
    }
}

/// One connection from its first to its last byte. Good where it ended with our good-bye.
async fn attempt(
    link: &Link,
    place: &Place,
    journal: &mut Journal,
    online: &mut Option<Instant>,
) -> Result<(), Lost> {
    let late = |_| Lost::new(format!("no connection within {} s", place.connect_timeout.as_secs()));
    let connecting = timeout(place.connect_timeout, Socket::connect(&place.address, place.silence));
    let socket = tokio::select! {
        socket = connecting => socket.map_err(late)??,
        () = closing(link) => return Ok(()),
    };
    match socket {
        Socket::Tcp(stream) => {
            let tuning = Tuning::of(&stream);
            serve(link, stream, tuning, journal, online).await
        }
        Socket::Tls(stream) => {
            let tuning = Tuning::of(stream.get_ref().0);
            serve(link, stream, tuning, journal, online).await
        }
        #[cfg(unix)]
        Socket::Unix(stream) => serve(link, stream, Some(Tuning::none()), journal, online).await,
    }
}

/// Waits until the component says good-bye.
async fn closing(link: &Link) {
    while !link.session().is_closing() {
        link.work.notified().await;
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    link: &Link,
    stream: S,
    tuning: Option<Tuning>,
    journal: &mut Journal,
    online: &mut Option<Instant>,
) -> Result<(), Lost> {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut input = Input::default();
    let mut output = Output::default();
    let mut fresh = false;
    let mut alarm = std::pin::pin!(sleep_until(Instant::now().into()));
    let mut pace = tuning.as_ref().map(|_| Pace::new(Instant::now()));
    let mut rest = std::pin::pin!(sleep_until(Instant::now().into()));
    let mut rests = false;
    link.session().start(Instant::now())?;
    loop {
        let (step, news) = {
            let mut session = link.session();
            let step = advance(&mut session, &mut input, &mut output, fresh, pace.as_mut());
            (step, session.news())
        };
        if news {
            link.news.notify_one();
        }
        let step = match step {
            Ok(step) => step,
            Err(lost) => {
                let (events, words) = {
                    let mut session = link.session();
                    (session.events(), session.last_words(&lost))
                };
                journal.report(events);
                if let Some(words) = words.filter(|_| output.is_done()) {
                    // The connection ends in any case.
                    let _ = timeout(GOOD_BYE, writer.write_all(&words)).await;
                }
                return Err(lost);
            }
        };
        if step.online && online.is_none() {
            *online = Some(Instant::now());
        }
        journal.report(step.events);
        if step.leaving {
            // The other side may be gone already: then there is nobody to say good-bye to.
            let _ = timeout(GOOD_BYE, good_bye(&mut reader, &mut writer, &mut output)).await;
            return Ok(());
        }
        fresh = false;
        if let Some(tuning) = &tuning {
            if step.turn.confirm {
                tuning.confirm();
            }
            if let Some(until) = step.turn.rest {
                tuning.set_resting(true);
                rest.as_mut().reset(until.into());
                rests = true;
            }
        }
        set(alarm.as_mut(), step.deadline);
        let before = output.done();
        tokio::select! {
            read = reader.read_buf(input.room()), if !step.stalled && !rests => match read {
                Ok(0) => return Err(Lost::new("the broker closed the connection")),
                Ok(_) => fresh = true,
                Err(error) => return Err(Lost::new(format!("reading failed: {error}"))),
            },
            pushed = output.push(&mut writer), if !output.is_done() => match pushed {
                Ok(()) => link.session().written(Instant::now()),
                Err(error) => return Err(Lost::new(format!("writing failed: {error}"))),
            },
            () = link.work.notified() => {}
            () = &mut rest, if rests => {
                rests = false;
                if let Some(tuning) = &tuning {
                    tuning.set_resting(false);
                }
            }
            () = &mut alarm, if step.deadline.is_some() => {}
        }
        if output.done() != before {
            link.session().progressed(Instant::now());
        }
    }
}

/// Makes the alarm ring at `deadline` or before. Deadlines mostly move on with the traffic, and then it rings once too
/// early, which is cheaper than to move it every time.
fn set(alarm: Pin<&mut Sleep>, deadline: Option<Instant>) {
    if let Some(deadline) = deadline.map(tokio::time::Instant::from)
        && (alarm.is_elapsed() || deadline < alarm.deadline())
    {
        alarm.reset(deadline);
    }
}

/// Writes what is left and waits until the broker closes its side, as it does after DISCONNECT. Without that wait the
/// acknowledgements before it could be lost: to a connection that is closed with unread bytes in it, or to the
/// next connection under the same client id, which may come first.
async fn good_bye<R, W>(reader: &mut R, writer: &mut W, output: &mut Output) -> std::io::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    output.push(writer).await?;
    writer.shutdown().await?;
    let mut unread = Vec::new();
    while reader.read_buf(&mut unread).await? > 0 {
        unread.clear();
    }
    Ok(())
}

/// What the next turn of the loop must know.
struct Step {
    deadline: Option<Instant>,
    stalled: bool,
    turn: Turn,
    leaving: bool,
    online: bool,
    events: Vec<Event>,
}

/// Everything that a session does between two waits, under one lock. `fresh` says that something was read.
fn advance(
    session: &mut Session,
    input: &mut Input,
    output: &mut Output,
    fresh: bool,
    pace: Option<&mut Pace>,
) -> Result<Step, Lost> {
    let now = Instant::now();
    let resumes = session.is_stalled();
    session.tick(now)?;
    let mut turn = Turn::default();
    if fresh || (resumes && !session.is_stalled()) {
        let (bytes, packets) = (input.bytes().len(), session.packets());
        input.taken(session.receive(input.bytes(), now, now_micros())?);
        if let Some(pace) = pace.filter(|_| fresh) {
            turn = pace.read(now, bytes, session.packets() - packets, session.open());
        }
    }
    if session.is_closing() && !session.is_online() && !session.is_leaving() {
        return Ok(Step {
            deadline: None,
            stalled: false,
            turn,
            leaving: true,
            online: false,
            events: Vec::new(),
        });
    }
    if output.is_done() {
        output.refill(|bytes| session.output(now, bytes));
    }
    Ok(Step {
        deadline: session.deadline(),
        stalled: session.is_stalled(),
        turn,
        leaving: session.is_leaving(),
        online: session.is_online(),
        events: session.events(),
    })
}

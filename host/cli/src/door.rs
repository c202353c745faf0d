//! The way to the host of a home: a running one over its socket, else one in this process.

use crate::control::{self, Control};
use crate::exit::{Exit, Failure};
use crate::host::Host;
use crate::request::{Reply, Request};
use crate::settings::Settings;
use chiton_store::HomeError;
use serde_json::Value;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, mpsc};

/// How long to wait for a host that holds the home but does not answer yet, or just ends.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often a request is offered to hosts that end before they take it.
const ATTEMPTS: usize = 5;

/// The way to the host. When the running host ends, the next request starts one in this process.
pub struct Door {
    way: Mutex<Way>,
}

enum Way {
    Here(Host, Control),
    There(PathBuf),
}

impl Door {
    /// Finds the running host, or becomes the host.
    pub async fn open(settings: Settings) -> Result<Self, Failure> {
        Ok(Self { way: Mutex::new(Way::find(settings).await?) })
    }

    /// The host, if it is this process.
    pub async fn host(&self) -> Option<Host> {
        match &*self.way.lock().await {
            Way::Here(host, _) => Some(host.clone()),
            Way::There(_) => None,
        }
    }

    /// Sends a request; the replies end with `Done` or `Failed`, or early if the host ends.
    pub async fn ask(&self, request: Request) -> Result<mpsc::Receiver<Reply>, Failure> {
        let mut way = self.way.lock().await;
        for _ in 0..ATTEMPTS {
            match &*way {
                Way::Here(host, _) => {
                    let (sender, replies) = mpsc::channel(64);
                    let host = host.clone();
                    tokio::spawn(async move { host.perform(request, sender).await });
                    return Ok(replies);
                }
                Way::There(socket) => match control::ask(socket, &request).await {
                    Ok(replies) => return Ok(replies),
                    // It ended before it took the request.
                    Err(_) => *way = Way::find(Settings::load()?).await?,
                },
            }
        }
        Err(ended(&"it takes no requests"))
    }

    /// Sends a request that is answered at once.
    pub async fn done(&self, request: Request) -> Result<Value, Failure> {
        let mut replies = self.ask(request).await?;
        while let Some(reply) = replies.recv().await {
            match reply {
                Reply::Done(value) => return Ok(value),
                Reply::Failed { exit, message } => return Err(Failure { exit, message }),
                Reply::Taken | Reply::Event(_) | Reply::Progress(_) => {}
            }
        }
        Err(ended(&"it closed the connection"))
    }

    /// Ends the host if it is this process: after what others have asked of it.
    pub async fn close(self) {
        if let Way::Here(host, control) = self.way.into_inner() {
            control.close().await;
            host.close().await;
        }
    }
}

impl Way {
    async fn find(settings: Settings) -> Result<Self, Failure> {
        let socket = settings.home.socket();
        let begun = Instant::now();
        loop {
            match settings.home.lock() {
                Ok(lock) => {
                    let host = Host::open(settings, lock)?;
                    let control = Control::serve(&host)?;
                    return Ok(Self::Here(host, control));
                }
                Err(HomeError::Held { .. }) if control::is_served(&socket).await => return Ok(Self::There(socket)),
                Err(HomeError::Held { .. }) if begun.elapsed() < PATIENCE => {
                    tokio::time::sleep(Duration::from_millis(25)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// What to say when the host went away in the middle.
pub fn ended(reason: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Failure, format!("the running chiton ended before it answered ({reason}); try again"))
}

//! The signal to stop, for everything that runs.

use tokio::sync::watch;

/// Receives the signal to stop from one or two senders.
#[derive(Debug, Clone)]
pub(super) struct Stop {
    first: watch::Receiver<bool>,
    second: Option<watch::Receiver<bool>>,
}

/// Sends the signal to stop.
#[derive(Debug)]
pub(super) struct Stopper(watch::Sender<bool>);

pub(super) fn stop() -> (Stopper, Stop) {
    let (sender, first) = watch::channel(false);
    (Stopper(sender), Stop { first, second: None })
}

impl Stopper {
    pub(super) fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Also receives what `other` receives.
    pub(super) fn or(self, other: &Self) -> Self {
        Self { first: self.first, second: Some(other.first.clone()) }
    }

    /// Returns after the signal to stop. It can be cancelled and called again.
    pub(super) async fn stopped(&mut self) {
        match &mut self.second {
            None => wait(&mut self.first).await,
            Some(second) => tokio::select! {
                () = wait(&mut self.first) => {}
                () = wait(second) => {}
            },
        }
    }
}

/// Waits for ever if all senders are dropped.
async fn wait(receiver: &mut watch::Receiver<bool>) {
    if receiver.wait_for(|stopped| *stopped).await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn either_of_two_can_tell() {
        let (one, first) = stop();
        let (two, second) = stop();
        let mut both = first.clone().or(&second);
        two.stop();
        both.stopped().await;
        drop(two);
        let mut both = first.or(&stop().1);
        let waiting = tokio::spawn(async move { both.stopped().await });
        tokio::task::yield_now().await;
        one.stop();
        waiting.await.unwrap();
    }
}

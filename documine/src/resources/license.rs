//! `7. License`: what may be analysed, and what has been.

use crate::client::Call;
use crate::client::Client;
use crate::models::{License, LicenseUsage, Timestamp};

/// The time that a licence report covers.
#[derive(Debug, Clone, Default)]
pub struct Period {
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

impl Client {
    /// The licence (`getLicense`).
    pub fn license(&self) -> Call<(), License> {
        Call::new(self, (), |client, (), options| {
            Box::pin(async move { client.fetch(client.requests().get_license().prepare(), &options).await })
        })
    }

    /// How much of the licence is used (`getLicenseUsage`): in all, unless [`from`](Call::from) or [`to`](Call::to) say otherwise.
    ///
    /// ```
    /// # async fn f(client: documine::Client) -> documine::Result<()> {
    /// let usage = client.license_usage().await?;
    /// println!("{:?} of {:?} pages", usage.analysed_pages, usage.licensed_pages);
    /// # Ok(()) }
    /// ```
    pub fn license_usage(&self) -> Call<Period, LicenseUsage> {
        Call::new(self, Period::default(), |client, period, options| {
            Box::pin(async move {
                let mut request = client.requests().get_license_usage();
                if let Some(start) = period.start {
                    request = request.start_date(start);
                }
                if let Some(end) = period.end {
                    request = request.end_date(end);
                }
                client.fetch(request.prepare(), &options).await
            })
        })
    }
}

impl Call<Period, LicenseUsage> {
    /// Counts from this moment on.
    pub fn from(mut self, start: Timestamp) -> Self {
        self.params.start = Some(start);
        self
    }

    /// Counts up to this moment.
    pub fn to(mut self, end: Timestamp) -> Self {
        self.params.end = Some(end);
        self
    }
}

//! Adapters to AWS: the activity log in DynamoDB, events on EventBridge, mail through SES.
//!
//! Where AWS is, who we are there and which proxy or stand-in is asked instead are the SDK's own settings (`AWS_REGION`,
//! `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_DYNAMODB`, a role, a profile, …), so that what holds for other programs on the
//! same machine holds for Fairy. All three make the same difference between what is away or throttled, which waits, and
//! what is wrong with what is in hand, which does not get better by waiting.

mod dynamodb;
mod eventbridge;
mod fault;
mod pace;
mod ses;
mod session;

pub use self::{
    dynamodb::{DynamoDb, Table, TableReport},
    eventbridge::EventBridge,
    ses::{Account, Bucket, Permit, SendRate, Ses, SesOptions},
    session::{Aws, AwsError},
};

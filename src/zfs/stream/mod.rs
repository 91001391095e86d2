//! Send streams: a walker that checks every byte, and the contents of a stream.
//!
//! ```text
//! stream  = plain | package
//! plain   = BEGIN [nvlist] record* END
//! package = BEGIN [nvlist] END  plain*  END0
//! record  = header (312 bytes) [payload]
//! ```

mod begin;
mod fault;
mod features;
mod fletcher;
mod inspect;
pub mod nvlist;
mod order;
mod record;
mod sequence;
mod walker;

pub use begin::{Begin, BeginFlags, ObjsetType, ToName};
pub use fault::{Fault, Problem};
pub use features::Features;
pub use fletcher::Fletcher4;
pub use inspect::{InspectError, Inspection, Kind, Substream, inspect};
pub use order::ByteOrder;
pub use record::{HEADER, RecordType};
pub use walker::{Event, Plain, Walker};

//! Events: from the node to the connections of one shard that asked for them.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use cql_protocol::{Event, EventTypes};
use tokio::sync::mpsc;

/// Events that may wait for one connection. A connection that falls further behind is closed, because its client would
/// otherwise believe that it knows the schema.
const EVENTS_MAX: usize = 256;

/// The connections of a shard that registered for events.
#[derive(Clone, Default)]
pub struct EventHub {
    listeners: Rc<RefCell<Vec<Listener>>>,
}

struct Listener {
    types: EventTypes,
    queue: mpsc::Sender<Arc<Event>>,
}

impl EventHub {
    /// Begins to listen; events of other types are not delivered.
    pub(crate) fn listen(&self, types: EventTypes) -> mpsc::Receiver<Arc<Event>> {
        let (queue, receiver) = mpsc::channel(EVENTS_MAX);
        self.listeners.borrow_mut().push(Listener { types, queue });
        receiver
    }

    /// Delivers an event to all who listen for its type.
    pub fn send(&self, event: &Arc<Event>) {
        let kind = event.event_type();
        // A listener that is gone, or whose queue is full, is dropped; the latter ends its connection.
        self.listeners
            .borrow_mut()
            .retain(|listener| match listener.types.contains(kind) {
                true => listener.queue.try_send(Arc::clone(event)).is_ok(),
                false => !listener.queue.is_closed(),
            });
    }
}

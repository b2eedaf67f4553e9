//! A page of tasks.
//!
//! Every order is an index read from the place where the page before ended; nothing is sorted but one page, and nothing
//! unbounded is looked at: where filters remain that the index does not answer, a page ends after a fixed number of entries
//! even if it is not full, and its cursor goes on there. By due date, dates and instants are two ranges of one index that
//! are merged: a date stands at the instant at which it begins in the caller's zone, before instants that are equal.

use fairy_jobs::{
    command::ProjectName,
    id::{ProjectId, WorkspaceId},
    page::{Page, PageRequest},
    ports::{PortResult, TaskQuery, TaskSort},
    task::Task,
};
use jiff::tz::TimeZone;

use super::{
    conditions::{self, Conditions, Source},
    due,
    rows::{self, COLUMNS},
    stream::{Found, Order, Stream},
};
use crate::{
    driver::Connection,
    page::{self, List, Place},
    teams::projects,
};

pub(super) async fn tasks(
    c: &mut Connection<'_>,
    query: &TaskQuery,
    project: Option<ProjectId>,
    request: &PageRequest,
) -> PortResult<Page<Task>> {
    // `Debug` shows every field of a query, so no two different queries share a list.
    let list = List::of(&[b"tasks", format!("{query:?}").as_bytes()]);
    let from = match list.place(request)? {
        None => None,
        Some(bytes) => {
            let (range, place) = bytes.split_first().ok_or_else(page::foreign)?;
            let order = orders(query.sort).get(usize::from(*range)).ok_or_else(page::foreign)?;
            Some((*order, page::decode(place).ok_or_else(page::foreign)?))
        }
    };
    let (source, conditions) = conditions::split(query, project);
    if query.filter.key.is_some() {
        return by_key(c, query, &source, &conditions).await;
    }
    let reader =
        Reader { query, zone: query.time_zone.rules(), list, source, conditions, limit: request.limit.get() };
    reader.page(c, from).await
}

/// The project that a name means.
pub(super) async fn project(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    name: &ProjectName,
) -> PortResult<ProjectId> {
    let project = match name {
        ProjectName::Id(id) => projects::by_id(c, workspace, *id).await?,
        ProjectName::Key(key) => projects::by_key(c, workspace, key).await?,
    };
    Ok(project.ok_or_else(|| name.unknown())?.id)
}

async fn by_key(
    c: &mut Connection<'_>,
    query: &TaskQuery,
    source: &Source,
    conditions: &Conditions,
) -> PortResult<Page<Task>> {
    let mut page = Page { items: Vec::new(), next: None };
    let Some(key) = &query.filter.key else { return Ok(page) };
    let Some(id) = rows::by_key(c, query.workspace, key).await? else { return Ok(page) };
    let (from, scope, rest) = (source.from(c.dialect()), source.scope, &conditions.sql);
    let sql = format!("SELECT {COLUMNS}\nFROM {from}\nWHERE {scope} AND t.id = ?{rest}");
    let mut args = source.args.clone();
    args.push(id.into());
    args.extend(conditions.args.iter().cloned());
    page.items = c.row(&sql, args).await?.iter().map(rows::read).collect::<PortResult<_>>()?;
    page.items.retain(|task| conditions.needle.as_ref().is_none_or(|needle| needle.is_in(task)));
    Ok(page)
}

/// The ranges that make up an order; a cursor names one by its number.
const fn orders(sort: TaskSort) -> &'static [Order] {
    match sort {
        TaskSort::Newest => &[Order::Newest],
        TaskSort::Oldest => &[Order::Oldest],
        TaskSort::Updated => &[Order::Updated],
        TaskSort::Priority => &[Order::Priority],
        TaskSort::Due => &[Order::Date, Order::Instant, Order::Undated],
    }
}

struct Reader<'q> {
    query: &'q TaskQuery,
    zone: TimeZone,
    list: List,
    source: Source,
    conditions: Conditions,
    limit: usize,
}

/// Where an entry stands in the whole list: an instant, then the range, then the id.
type Rank = (i64, usize, [u8; 16]);

impl Reader<'_> {
    async fn page(&self, c: &mut Connection<'_>, from: Option<(Order, Place)>) -> PortResult<Page<Task>> {
        let orders = orders(self.query.sort);
        let mut found = Vec::new();
        for (range, order) in orders.iter().enumerate() {
            // What has no due date comes after everything that has one.
            let full = found.iter().any(|(_, f): &(usize, Found)| f.known.is_some());
            if *order == Order::Undated && full {
                break;
            }
            let stream = Stream { order: *order, after: self.after(*order, from), until: self.until(*order) };
            let rest = (&self.source, &self.conditions);
            let most = self.limit + 1;
            let read = match &self.conditions.needle {
                Some(needle) => stream.search(c, rest, (needle, orders.len()), most).await?,
                None => stream.read(c, rest, most).await?,
            };
            found.push((range, read));
        }
        Ok(self.merge(orders, found))
    }

    fn merge(&self, orders: &[Order], found: Vec<(usize, Found)>) -> Page<Task> {
        if let [order] = orders {
            let (_, found) =
                found.into_iter().next().unwrap_or((0, Found { tasks: Vec::new(), known: None }));
            return self
                .cut(found.tasks, found.known.map(|place| (0, place)), |_, task| (0, order.place(task)));
        }
        let ends = found.iter().filter_map(|(range, f)| f.known.map(|place| (*range, place)));
        let horizon = ends.min_by_key(|(range, place)| self.rank(*range, *place));
        let mut tasks: Vec<(Rank, Task)> = Vec::new();
        for (range, found) in found {
            let ranked = found.tasks.into_iter().map(|t| (self.rank(range, orders[range].place(&t)), t));
            tasks.extend(ranked);
        }
        tasks.sort_unstable_by_key(|(rank, _)| *rank);
        if let Some((range, place)) = horizon {
            tasks.retain(|(rank, _)| *rank <= self.rank(range, place));
        }
        let ranges: Vec<usize> = tasks.iter().map(|(rank, _)| rank.1).collect();
        let tasks = tasks.into_iter().map(|(_, task)| task).collect();
        self.cut(tasks, horizon, |at, task| (ranges[at], orders[ranges[at]].place(task)))
    }

    /// The page: full, with a cursor at its last task, or all there is, with a cursor where the looking ended.
    fn cut(
        &self,
        mut tasks: Vec<Task>,
        known: Option<(usize, Place)>,
        place: impl Fn(usize, &Task) -> (usize, Place),
    ) -> Page<Task> {
        let more = tasks.len() > self.limit;
        tasks.truncate(self.limit);
        let end = match tasks.last() {
            Some(last) if more => Some(place(tasks.len() - 1, last)),
            _ => known,
        };
        let next = end.map(|(range, place)| {
            let range = u8::try_from(range).unwrap_or(u8::MAX);
            self.list.cursor(&[[range].as_slice(), &page::encode(place)].concat())
        });
        Page { items: tasks, next }
    }

    fn rank(&self, range: usize, place: Place) -> Rank {
        let instant = match range {
            0 => due::begin(due::date_of(place.key), &self.zone),
            1 => place.key,
            _ => i64::MAX,
        };
        (instant, range, place.id)
    }

    /// Where to read on in one range when the page before ended at a place of another.
    fn after(&self, order: Order, from: Option<(Order, Place)>) -> Place {
        match (order, from) {
            (_, None) => order.start(),
            (order, Some((at, place))) if order == at => place,
            // All dates that begin at the instant or before it were shown.
            (Order::Date, Some((Order::Instant, place))) => {
                Place { key: due::midnight(due::day(place.key, &self.zone)), id: Place::LAST.id }
            }
            // No instant at the date's beginning was shown yet.
            (Order::Instant, Some((Order::Date, place))) => {
                Place { key: due::begin(due::date_of(place.key), &self.zone), id: Place::FIRST.id }
            }
            (Order::Undated, Some(_)) => order.start(),
            (_, Some(_)) => order.end(),
        }
    }

    /// Where a list of what is due before a bound ends.
    fn until(&self, order: Order) -> Place {
        let Some(bound) = &self.query.filter.due_before else {
            return order.end();
        };
        let (date, at) = due::bounds(bound, &self.query.time_zone);
        match order {
            Order::Date => Place { key: due::midnight(date), id: Place::FIRST.id },
            Order::Instant => Place { key: at, id: Place::FIRST.id },
            Order::Undated => order.start(),
            _ => order.end(),
        }
    }
}

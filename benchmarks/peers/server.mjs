// The same shape of schema on servers of others: node server.mjs yoga|apollo|graphql-ws PORT
//
// 200 slots of one day, or the counts of a month, in memory; nothing is read or worked out. `POST /change` makes
// graphql-ws tell every subscriber one changed day.

import { createServer } from "node:http";

import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";
import { buildSchema } from "graphql";
import { useServer } from "graphql-ws/use/ws";
import { createSchema, createYoga } from "graphql-yoga";
import { WebSocketServer } from "ws";

const typeDefs = /* GraphQL */ `
  input PageSlug { slug: String! }
  input PageAddress { slug: PageSlug }
  input AvailabilityInput { page: PageAddress!, from: String!, to: String!, timeZone: String! }
  type Slot { start: String!, end: String! }
  type AvailableDay { date: String!, slotCount: Int!, slots: [Slot!]! }
  type Availability {
    timeZone: String!, durationMinutes: Int!, mode: String!, freshness: String!, cursor: String!
    days(on: [String!]): [AvailableDay!]!
  }
  type AvailabilitySnapshot { cursor: String!, availability: Availability! }
  type AvailabilityDelta { cursor: String!, days: [AvailableDay!]!, emptiedDates: [String!]!, mode: String! }
  union AvailabilityEvent = AvailabilitySnapshot | AvailabilityDelta
  type Query { availability(input: AvailabilityInput!): Availability }
  type Subscription { availabilityChanged(input: AvailabilityInput!): AvailabilityEvent! }
`;

const MINUTE = 60_000;
const CURSOR = "A".repeat(80);

function day(date, count) {
  const first = Date.parse(`${date}T04:00:00Z`);
  const at = (minutes) => new Date(first + minutes * MINUTE).toISOString().slice(0, 19) + "Z";
  const slots = Array.from({ length: count }, (_, n) => ({ start: at(5 * n), end: at(5 * n + 30) }));
  return { date, slotCount: slots.length, slots };
}

const month = new Map();

function availability({ input }) {
  const dates = [];
  for (let at = Date.parse(input.from); at <= Date.parse(input.to); at += 1440 * MINUTE) {
    dates.push(new Date(at).toISOString().slice(0, 10));
  }
  for (const date of dates) if (!month.has(date)) month.set(date, day(date, 200));
  return {
    timeZone: input.timeZone, durationMinutes: 30, mode: "ONLINE", freshness: "LIVE", cursor: CURSOR,
    days: ({ on }) => dates.filter((date) => !on || on.includes(date)).map((date) => month.get(date)),
  };
}

const resolvers = {
  Query: { availability: (_, args) => availability(args) },
  Availability: { days: (found, args) => found.days(args) },
  AvailabilityEvent: { __resolveType: (event) => (event.availability ? "AvailabilitySnapshot" : "AvailabilityDelta") },
};

// ---- graphql-ws ----------------------------------------------------------------------------------------------------

const waiting = new Set();
let changes = 0;

function change(date, count) {
  changes += 1;
  const event = { cursor: CURSOR + changes, days: [day(date, count)], emptiedDates: [], mode: "ONLINE" };
  for (const wake of waiting) wake(event);
}

async function* changed({ input }) {
  const queue = [];
  let wake = () => {};
  const tell = (event) => { queue.push(event); wake(); };
  waiting.add(tell);
  try {
    yield { availabilityChanged: { __typename: "AvailabilitySnapshot", cursor: CURSOR, availability: availability({ input }) } };
    for (;;) {
      while (queue.length) yield { availabilityChanged: { __typename: "AvailabilityDelta", ...queue.shift() } };
      await new Promise((resolve) => { wake = resolve; });
    }
  } finally {
    waiting.delete(tell);
  }
}

function serveSockets(port) {
  const schema = buildSchema(typeDefs);
  schema.getSubscriptionType().getFields().availabilityChanged.subscribe = (_, args) => changed(args);
  const server = createServer((request, response) => {
    const url = new URL(request.url, "http://127.0.0.1");
    if (url.pathname === "/change") change(url.searchParams.get("date"), Number(url.searchParams.get("slots")));
    response.end("{}");
  });
  const sockets = new WebSocketServer({ server, path: "/graphql", perMessageDeflate: false });
  useServer({ schema }, sockets);
  server.listen(port, "127.0.0.1");
}

// ---- which -----------------------------------------------------------------------------------------------------------

const [kind, port] = [process.argv[2], Number(process.argv[3])];
if (kind === "yoga") {
  const yoga = createYoga({ schema: createSchema({ typeDefs, resolvers }), logging: false, graphiql: false });
  createServer(yoga).listen(port, "127.0.0.1");
} else if (kind === "apollo") {
  const server = new ApolloServer({ typeDefs, resolvers });
  await startStandaloneServer(server, { listen: { host: "127.0.0.1", port } });
} else {
  serveSockets(port);
}

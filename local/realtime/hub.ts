import type { Access, Listener, Shape } from "./access.ts";
import type { Channel, Subscription } from "./channel.ts";
import type { Change } from "./feed.ts";
import type { Broadcast } from "./protocol.ts";

/** All joined channels, and who of them is told of what. */
export class Hub {
  readonly #channels = new Set<Channel>();
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  get isEmpty(): boolean {
    return this.#channels.size === 0;
  }

  add(channel: Channel): void {
    this.#channels.add(channel);
  }

  remove(channel: Channel): void {
    this.#channels.delete(channel);
  }

  /**
   * Sends to all channels of a topic but `except`. A private topic and a public one of the same
   * name are two.
   */
  broadcast(
    { name, isPrivate, except }: {
      readonly name: string;
      readonly isPrivate: boolean;
      readonly except?: Channel;
    },
    broadcast: Broadcast,
  ): void {
    for (const channel of this.#channels) {
      if (channel === except || channel.name !== name) continue;
      if (channel.config.private === isPrivate) channel.broadcast(broadcast);
    }
  }

  /** Tells each channel what it asked for and may see, in the order it happened. */
  async tell(changes: readonly Change[]): Promise<void> {
    const round = new Round(this.#access);
    for (const change of changes) {
      if (change.schema === "realtime") this.#tellMessage(change);
      else await this.#tellChange(change, round);
    }
  }

  #tellMessage({ type, record }: Change): void {
    if (type !== "INSERT" || record === null || record["extension"] !== "broadcast") return;
    this.broadcast(
      { name: String(record["topic"]), isPrivate: record["private"] === true },
      {
        event: String(record["event"]),
        payload: record["payload"],
        meta: { id: String(record["id"]) },
      },
    );
  }

  async #tellChange(change: Change, round: Round): Promise<void> {
    for (const channel of this.#channels) {
      const told = new Map<string, { ids: number[]; subscription: Subscription }>();
      for (const subscription of channel.subscriptions) {
        if (!await round.concerns(change, subscription, channel.listener)) continue;
        const key = JSON.stringify(subscription.interest.select);
        const group = told.get(key) ?? { ids: [], subscription };
        group.ids.push(subscription.id);
        told.set(key, group);
      }
      for (const { ids, subscription } of told.values()) {
        const shape = await round.shape(change, channel.listener);
        const data = describe(change, shape, subscription.interest.select);
        channel.push("postgres_changes", { ids, data });
      }
    }
  }
}

/** Remembers what the database answered while one batch of changes is told. */
class Round {
  readonly #shapes = new Map<string, Promise<Shape>>();
  readonly #sights = new Map<Change, Map<string, Promise<boolean>>>();

  constructor(private readonly access: Access) {}

  shape(change: Change, { role }: Listener): Promise<Shape> {
    return once(
      this.#shapes,
      `${change.entity} ${role}`,
      () => this.access.shapeOf(change.entity, role),
    );
  }

  async concerns(
    change: Change,
    { entities, interest }: Subscription,
    listener: Listener,
  ): Promise<boolean> {
    if (!entities.includes(change.entity)) return false;
    if (interest.event !== "*" && interest.event !== change.type) return false;
    const shape = await this.shape(change, listener);
    // Told as an error, without data; hosted Realtime does the same.
    if (!shape.keysReadable) return true;
    if (interest.filters.length > 0 && !await this.access.passes(change, interest.filters)) {
      return false;
    }
    // A deleted row can't be looked at any more: its key is told to all who ask, as on hosted
    // Realtime.
    if (change.type === "DELETE" || !shape.rls) return true;
    const sights = this.#sights.get(change) ?? new Map<string, Promise<boolean>>();
    this.#sights.set(change, sights);
    return await once(
      sights,
      `${listener.role} ${JSON.stringify(listener.claims)}`,
      () => this.access.sees(listener, change, shape),
    );
  }
}

function once<T>(known: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const answer = known.get(key) ?? ask();
  known.set(key, answer);
  return answer;
}

/** The change as a role may see it; the form is that of realtime.apply_rls. */
function describe(change: Change, shape: Shape, select: readonly string[] | null) {
  const { schema, table, type, record, identity, happenedAt } = change;
  const told = { schema, table, type, commit_timestamp: happenedAt.toISOString() };
  if (!shape.keysReadable) return { ...told, errors: ["Error 401: Unauthorized"] };
  const keys = shape.keys.map((key) => key.name);
  const columns = shape.columns.filter(({ name }) =>
    select === null || select.includes(name) || keys.includes(name)
  );
  const names = columns.map((column) => column.name);
  const oldNames = type === "DELETE" && shape.rls ? keys : names;
  return {
    ...told,
    columns,
    errors: null,
    ...(record ? { record: pick(record, names) } : {}),
    ...(identity ? { old_record: pick(identity, oldNames) } : {}),
  };
}

function pick(row: Readonly<Record<string, unknown>>, names: readonly string[]) {
  return Object.fromEntries(Object.entries(row).filter(([name]) => names.includes(name)));
}

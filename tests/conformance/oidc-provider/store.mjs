// The token store of the provider: in memory, one per realm. The store also implements two rules for which the library has no hook:
// a device that polls too often gets slow_down, and of concurrent uses of one code or token exactly one succeeds.

import { Provider, errors } from "oidc-provider";

export class Store {
  constructor(interval) {
    this.interval = interval;
    this.entries = new Map();
    this.polls = new Map();
  }

  /** The provider's access to one type of entries. */
  adapter(kind) {
    const key = (id) => `${kind}:${id}`;
    const found = (fits) => this.all().find((entry) => entry.kind === kind && fits(entry.payload))?.payload;
    return {
      upsert: async (id, payload, seconds) => {
        const until = seconds === undefined ? Infinity : Date.now() + seconds * 1000;
        this.entries.set(key(id), { kind, payload, until });
      },
      find: async (id) => {
        // Only polls use the token endpoint; the page reads the same code.
        if (kind === "DeviceCode" && Provider.ctx?.oidc?.route === "token") this.pace(id);
        return this.get(key(id))?.payload;
      },
      findByUid: async (uid) => found((payload) => payload.uid === uid),
      findByUserCode: async (code) => found((payload) => payload.userCode === code),
      consume: async (id) => {
        const payload = this.get(key(id))?.payload;
        // The provider checks before this call, and so do concurrent requests: two at once are a replay as well.
        if (!payload || payload.consumed) {
          if (payload) this.endGrant(payload.grantId);
          throw new errors.InvalidGrant("used already");
        }
        payload.consumed = Math.floor(Date.now() / 1000);
      },
      destroy: async (id) => this.entries.delete(key(id)),
      revokeByGrantId: async (grantId) => this.endGrant(grantId),
    };
  }

  /** Ends everything of a user: browser sessions, grants, tokens. */
  endSessions(accountId) {
    this.forget((payload) => payload.accountId === accountId);
  }

  /** Ends a grant with all its tokens. */
  endGrant(grantId) {
    this.forget((payload, kind) => payload.grantId === grantId || (kind === "Grant" && payload.jti === grantId));
  }

  forget(fits) {
    for (const [key, { kind, payload }] of this.entries) if (fits(payload, kind)) this.entries.delete(key);
  }

  /** An entry is kept a little longer than its lifetime, because "expired" and "unknown" are different responses. */
  get(key) {
    const entry = this.entries.get(key);
    return entry && Date.now() < entry.until + 60_000 ? entry : undefined;
  }

  all() {
    return [...this.entries.values()];
  }

  pace(id) {
    // As in Keycloak: counted from the last answered poll, and the interval does not grow.
    if (Date.now() - (this.polls.get(id) ?? 0) < this.interval * 1000) throw new errors.SlowDown();
    this.polls.set(id, Date.now());
  }
}

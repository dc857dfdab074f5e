/** What the spool may take on disk before the oldest telemetry goes: 64 MiB are some 200 days of a sample a minute. */
export const spoolBytesDefault = 64 * 1024 ** 2;
/** Beyond the bound, for events alone, which never go: only a box that is broken in itself fills this. */
export const spoolEventReserveBytes = 16 * 1024 ** 2;
/** What a record costs beside its text: its key, its times and its share of a page. */
export const spoolRecordOverheadBytes = 96;

/** Records of one topic under way without the fleet's acknowledgement: begins small, grows by one with each, falls to 1. */
export const inFlightInitial = 4;
export const inFlightMax = 32;
/** How long the fleet may take to have a record in its database before it is sent again. */
export const acknowledgeBackoff = {initialMs: 20_000, maxMs: 10 * 60_000} as const;

/** MQTT 5 section 3.1.2.11.2: the broker keeps the session, and commands for it, for so long. */
export const sessionExpirySeconds = 86_400;
/** Unacknowledged messages that the broker may send us at once (section 3.1.2.11.3), and we to it. */
export const receiveMaximum = 20;
export const publishesPendingMax = 512;
export const keepaliveSeconds = 60;
export const connectTimeoutMs = 30_000;
export const publishTimeoutMs = 60_000;
/** The will waits so long (section 3.1.3.2.2), and is not sent at all if the box is back by then. */
export const willDelaySeconds = 5;
export const reconnectBackoff = {initialMs: 1000, maxMs: 5 * 60_000} as const;
/** A connection that held for so long was a good one: the next attempt is the first again. */
export const stableConnectionMs = 60_000;
/** A topic and properties come on top of the payload that maximumPacketSize bounds. */
export const packetOverheadBytes = 16 * 1024;
/** How long the goodbye may take when the link is closed. */
export const goodbyeTimeoutMs = 2000;

/** MQTT 5 section 3.3.2.3.3: nobody needs these any more after so long. Spooled records are sent again if need be. */
export const recordExpirySeconds = 3600;
export const streamExpirySeconds = 60;

export const commandsRunningMax = 8;
export const commandsPendingMax = 64;
/** Answered commands that are remembered until their orders expire. */
export const commandsKeptMax = 1000;
/** Refusals that a peer may cause to be told, per hour. */
export const refusalsPerHour = 60;
export const channelsMax = 32;

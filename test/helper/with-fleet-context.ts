import type {ExecutionContext} from 'ava';
import {type Logger, silentLogger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {LiveChange} from '#ota/contract/box-api.ts';
import type {FleetContext} from '#ota/fleet/fleet-part.ts';
import type {DatabaseEngine} from '#ota/fleet/store/open-fleet-database.ts';
import {withFleetDatabase} from '#test/helper/with-fleet-database.ts';

export type TestFleetContext = FleetContext & {
	/** Turns the clock on; it stands otherwise. */
	readonly advance: (byMs: number) => void;
	/** What was told to pages. */
	readonly told: LiveChange[];
	readonly url: string;
};

/** What a part of the fleet server is given, on an empty database, with a clock that the test turns. */
export const withFleetContext = async (
	t: ExecutionContext,
	engine: DatabaseEngine = 'sqlite',
	{logger = silentLogger(), databaseUrl}: {readonly logger?: Logger; readonly databaseUrl?: string | undefined} = {},
): Promise<TestFleetContext> => {
	const store = await withFleetDatabase(t, engine, databaseUrl);
	const stop = new AbortController();
	t.teardown(() => stop.abort());
	let turnedMs = Date.UTC(2026, 10, 21);
	const clock: Clock = {nowMs: () => turnedMs, monotonicMs: () => turnedMs};
	const told: LiveChange[] = [];
	return {
		serverId: 'server-1',
		store,
		url: store.url,
		changes: {publish: (change) => told.push(change), subscribe: () => () => undefined},
		clock,
		logger,
		signal: stop.signal,
		told,
		advance: (byMs) => {
			turnedMs += byMs;
		},
	};
};

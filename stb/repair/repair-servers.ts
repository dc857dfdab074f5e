import {backoffMs} from '#appliance/time/backoff.ts';
import type {Clock} from '#appliance/time/clock.ts';

export type RepairServer = {readonly url: string; readonly weight: number};

/** What is remembered of a server that failed: when it may be asked again. */
type Outage = {readonly failures: number; readonly untilMs: number};

/** Servers remembered at most; the configuration on air names them, and it is not to be trusted with our memory. */
const outagesMax = 64;
const outageMinMs = 500;
const outageMaxMs = 60_000;

export type RepairServers = {
	/** A server by weight among those that are not in an outage; of only failing ones, the one that is due first. */
	choose(servers: readonly RepairServer[]): RepairServer | undefined;
	failed(url: string): void;
	succeeded(url: string): void;
};

/** Failover by memory: a server that fails is left alone for a growing while, whichever object asks. */
export const createRepairServers = ({
	clock,
	random = Math.random,
}: {
	readonly clock: Clock;
	readonly random?: () => number;
}): RepairServers => {
	const outages = new Map<string, Outage>();
	return {
		choose: (servers) => {
			const nowMs = clock.monotonicMs();
			const well = servers.filter(({url}) => (outages.get(url)?.untilMs ?? 0) <= nowMs);
			if (well.length > 0) {
				return chooseByWeight(well, random());
			}
			return servers.toSorted((a, b) => (outages.get(a.url)?.untilMs ?? 0) - (outages.get(b.url)?.untilMs ?? 0))[0];
		},
		failed: (url) => {
			const failures = (outages.get(url)?.failures ?? 0) + 1;
			const delayMs = backoffMs(failures - 1, {initialMs: outageMinMs, maxMs: outageMaxMs, random});
			outages.delete(url);
			outages.set(url, {failures, untilMs: clock.monotonicMs() + delayMs});
			const oldest = outages.keys().next().value;
			if (outages.size > outagesMax && oldest !== undefined) {
				outages.delete(oldest);
			}
		},
		succeeded: (url) => {
			outages.delete(url);
		},
	};
};

/** Draws by relative weight (BaseURL@relativeWeight); when all weigh nothing, all are equal. Pure: `draw` is in [0, 1). */
export const chooseByWeight = (servers: readonly RepairServer[], draw: number): RepairServer | undefined => {
	const total = servers.reduce((sum, {weight}) => sum + weight, 0);
	if (total === 0) {
		return servers[Math.floor(draw * servers.length)];
	}
	let rest = draw * total;
	for (const server of servers) {
		rest -= server.weight;
		if (rest < 0) {
			return server;
		}
	}
	return servers.at(-1);
};

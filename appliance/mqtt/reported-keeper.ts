import {createHash} from 'node:crypto';
import {z} from 'zod';
import type {BoxKind, DeviceId} from '#appliance/contract/box-schema.ts';
import {type ReportedFacts, reportedSchema} from '#appliance/contract/fleet/reported-schema.ts';
import {boxTopic, payloadBytesMax} from '#appliance/contract/fleet/topic.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {Connection} from '#appliance/mqtt/connection.ts';
import type {StateRepository} from '#appliance/mqtt/state-repository.ts';
import type {Clock} from '#appliance/time/clock.ts';

const stateName = 'reported';
/** What the broker last acknowledged: a digest of all but the revision. */
const keptSchema = z.object({revision: z.int().min(0), acknowledged: z.string().optional()});

/** The retained `reported`: published when it differs from what the broker has, one at a time, the newest only. */
export type ReportedKeeper = {
	readonly report: (facts: ReportedFacts) => void;
	/** The desired state that is reported as kept has changed. */
	readonly refresh: () => void;
	readonly connect: (connection: Connection) => void;
	readonly disconnect: () => void;
};

export const createReportedKeeper = (options: {
	readonly deviceId: DeviceId;
	readonly kind: BoxKind;
	readonly repository: StateRepository;
	readonly desiredRevision: () => number;
	readonly clock: Clock;
	readonly logger: Logger;
}): ReportedKeeper => {
	const {deviceId, kind, repository, desiredRevision, clock, logger} = options;
	const kept = repository.get(stateName, keptSchema);
	// A box that was swapped, or whose database was lost or for a time lay in memory because the disk was full, begins above what
	// the fleet has of it: seconds pass more quickly than reports.
	let revision = Math.max(kept?.revision ?? 0, Math.floor(clock.nowMs() / 1000));
	let acknowledged = kept?.acknowledged;
	let facts: ReportedFacts | undefined;
	let connection: Connection | undefined;
	let isPublishing = false;

	/** What a full disk does not take is told all the same: the next start begins above it. */
	const keep = (): void => {
		try {
			repository.put(stateName, {revision, ...(acknowledged === undefined ? {} : {acknowledged})});
		} catch (error) {
			logger.warn({err: error}, 'the revision of a report could not be kept');
		}
	};
	/** What the broker does not have yet. */
	const newest = (): {readonly payload: string; readonly digest: string; readonly used: Connection} | undefined => {
		if (facts === undefined || connection === undefined) {
			return undefined;
		}
		const content = {version: 1, deviceId, kind, desiredRevision: desiredRevision(), ...facts};
		const digest = createHash('sha256').update(JSON.stringify(content)).digest('hex');
		if (digest === acknowledged) {
			return undefined;
		}
		const parsed = reportedSchema.safeParse({...content, revision: revision + 1});
		const payload = JSON.stringify(parsed.data);
		if (!parsed.success || Buffer.byteLength(payload) > payloadBytesMax) {
			logger.error({issues: parsed.error?.issues.slice(0, 3)}, 'a report outside the contract is not sent');
			return undefined;
		}
		return {payload, digest, used: connection};
	};
	const publishAll = async (): Promise<void> => {
		isPublishing = true;
		try {
			for (let next = newest(); next !== undefined; next = newest()) {
				revision += 1;
				// Before it is sent: a revision that the fleet may have seen is never given again.
				keep();
				try {
					await next.used.publish(boxTopic(deviceId, 'reported'), next.payload, {retain: true});
					acknowledged = next.digest;
					keep();
				} catch (error) {
					logger.debug({err: error}, 'a report waits for the next connection');
					if (connection === next.used) {
						return;
					}
				}
			}
		} finally {
			// In the same turn in which nothing more was found: a report that comes a moment later finds nobody at work.
			isPublishing = false;
		}
	};
	const wake = (): void => {
		if (!isPublishing) {
			publishAll().catch((error: unknown) => logger.error({err: error}, 'a report could not be made'));
		}
	};
	return {
		report: (told) => {
			facts = told;
			wake();
		},
		refresh: wake,
		connect: (made) => {
			connection = made;
			if (!made.sessionPresent) {
				// A broker that forgot our session may have forgotten what it kept of us as well.
				acknowledged = undefined;
			}
			wake();
		},
		disconnect: () => {
			connection = undefined;
		},
	};
};

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
	// A box whose database was lost, or that was swapped, begins above what the fleet has of it: seconds pass more quickly
	// than reports.
	const begin = {revision: Math.floor(clock.nowMs() / 1000), acknowledged: undefined};
	let {revision, acknowledged} = repository.get(stateName, keptSchema) ?? begin;
	let facts: ReportedFacts | undefined;
	let connection: Connection | undefined;
	let isPublishing = false;

	const publishNewest = async (): Promise<void> => {
		while (facts !== undefined && connection !== undefined) {
			const used = connection;
			const content = {version: 1, deviceId, kind, desiredRevision: desiredRevision(), ...facts};
			const digest = createHash('sha256').update(JSON.stringify(content)).digest('hex');
			if (digest === acknowledged) {
				return;
			}
			const parsed = reportedSchema.safeParse({...content, revision: revision + 1});
			const payload = JSON.stringify(parsed.data);
			if (!parsed.success || Buffer.byteLength(payload) > payloadBytesMax) {
				logger.error({issues: parsed.error?.issues.slice(0, 3)}, 'a report outside the contract is not sent');
				return;
			}
			revision += 1;
			// Before it is sent: a revision that the fleet may have seen is never given again.
			repository.put(stateName, {revision, ...(acknowledged === undefined ? {} : {acknowledged})});
			try {
				await used.publish(boxTopic(deviceId, 'reported'), payload, {retain: true});
			} catch (error) {
				logger.debug({err: error}, 'a report waits for the next connection');
				if (connection === used) {
					return;
				}
				continue;
			}
			acknowledged = digest;
			repository.put(stateName, {revision, acknowledged});
		}
	};
	const wake = (): void => {
		if (isPublishing) {
			return;
		}
		isPublishing = true;
		publishNewest()
			.catch((error: unknown) => logger.error({err: error}, 'a report could not be kept'))
			.finally(() => {
				isPublishing = false;
			})
			.catch(() => undefined);
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

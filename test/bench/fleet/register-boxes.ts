import {silentLogger} from '#appliance/log/logger.ts';
import {systemClock} from '#appliance/time/clock.ts';
import {authorityConfigSchema} from '#ota/fleet/authority/authority-config.ts';
import {keyToPem, makeKey} from '#ota/fleet/authority/authority-key.ts';
import {openTrust} from '#ota/fleet/authority/open-trust.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';
import type {SimulatedIdentity} from '#test/bench/fleet/simulator-message.ts';

const rowsPerInsert = 500;

export const simulatedId = (index: number): string => `sim-${String(index).padStart(6, '0')}`;

export type SimulatedFleet = {
	readonly caPem: string;
	readonly keyPem: string;
	readonly identities: readonly SimulatedIdentity[];
};

/** Certificates of the fleet's own authority for `count` boxes, before the server starts; what EST would have issued. */
export const certifyBoxes = async (options: {
	readonly fleet: string;
	readonly stateDirectory: string;
	readonly database: FleetDatabase;
	readonly count: number;
}): Promise<SimulatedFleet> => {
	const {fleet, stateDirectory, database, count} = options;
	const trust = await openTrust({
		...{fleet, stateDirectory, database, clock: systemClock, logger: silentLogger()},
		config: authorityConfigSchema.parse({}),
	});
	const key = await makeKey();
	const identities: SimulatedIdentity[] = [];
	for (let index = 0; index < count; index += 1) {
		const id = simulatedId(index);
		const {pem} = await trust.authority.issueDevice({deviceId: id, publicKey: key.publicKey});
		identities.push({id, certificatePem: pem});
	}
	return {caPem: trust.authority.caPem, keyPem: await keyToPem(key), identities};
};

/** Rows of enrolled boxes in [from, to). */
export const registerBoxes = async (
	database: FleetDatabase,
	{from, to, release}: {readonly from: number; readonly to: number; readonly release: string},
): Promise<void> => {
	const enrolledMs = Date.now();
	for (let start = from; start < to; start += rowsPerInsert) {
		const count = Math.min(rowsPerInsert, to - start);
		const rows = Array.from({length: count}, (_, offset) => ({
			id: simulatedId(start + offset),
			kind: 'stb',
			site: null,
			tags: JSON.stringify([`ring-${(start + offset) % 10}`]),
			model: `sv-stb-a${70 + ((start + offset) % 9)}`,
			release,
			enrolled_ms: enrolledMs - (start + offset),
			last_seen_ms: enrolledMs - (start + offset) * 1000,
		}));
		await database.insertInto('box').values(rows).execute();
	}
};

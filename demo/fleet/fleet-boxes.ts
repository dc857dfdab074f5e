import {sleep} from '#appliance/time/sleep.ts';
import type {FleetClient} from '#demo/fleet/fleet-client.ts';
import {type BoxSummary, boxPageSchema} from '#ota/contract/box-api.ts';

const lookIntervalMs = 500;

/** Every box as the fleet sees it. */
export const fleetBoxes = async (ask: FleetClient): Promise<readonly BoxSummary[]> =>
	boxPageSchema.parse(await ask('GET', '/boxes')).items;

/** Waits until the fleet sees so many boxes that are online and have said what they run; false when the time is over. */
export const boxesCome = async (options: {
	readonly ask: FleetClient;
	readonly count: number;
	readonly timeoutMs: number;
	readonly signal: AbortSignal;
}): Promise<boolean> => {
	const {ask, count, timeoutMs, signal} = options;
	const deadlineMs = performance.now() + timeoutMs;
	while (performance.now() < deadlineMs) {
		const boxes = await fleetBoxes(ask);
		if (boxes.filter(({presence, release}) => presence === 'online' && release !== '').length >= count) {
			return true;
		}
		await sleep(lookIntervalMs, {signal});
	}
	return false;
};

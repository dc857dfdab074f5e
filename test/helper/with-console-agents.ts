import type {ExecutionContext} from 'ava';
import type {Reason} from '#appliance/contract/fleet/release-schema.ts';
import type {UpdatePhase, UpdateStatus} from '#appliance/contract/fleet/update-schema.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {sampleReported} from '#test/helper/sample-box.ts';
import {type FleetBox, type TestFleet, withFleetBox} from '#test/helper/with-fleet.ts';

const way: readonly UpdatePhase[] = ['accepted', 'fetching', 'verified', 'installing', 'rebooting', 'confirming'];

/** Says why a box rolls the release back, and nothing when it confirms it; until then the box is confirming. */
export type Judge = (id: string, release: string) => Promise<Reason | undefined>;

/** Boxes that are claimed, enrolled and linked as the product's are, and tell what an agent would tell. */
export const withConsoleAgents = async (
	t: ExecutionContext,
	fleet: TestFleet,
	options: {
		readonly count: number;
		readonly phaseMs: number;
		readonly judge: Judge;
	},
): Promise<readonly FleetBox[]> => {
	const boxes: FleetBox[] = [];
	for (let index = 0; index < options.count; index += 1) {
		const box = await withFleetBox(t, fleet, `stb-agent-${index}`);
		actAsAgent(box, options);
		boxes.push(box);
	}
	return boxes;
};

type Acting = {
	readonly phaseMs: number;
	readonly judge: Judge;
};

const actAsAgent = (box: FleetBox, {phaseMs, judge}: Acting): void => {
	const given = new Set<string>();
	let running = '1.0.0';
	const tell = (update: UpdateStatus): void => {
		const {
			version: _v,
			revision: _r,
			deviceId: _d,
			kind: _k,
			desiredRevision: _n,
			...facts
		} = sampleReported(box.deviceId);
		box.report({...facts, release: running, update});
	};
	tell({phase: 'idle', sinceMs: Date.now()});
	box.onDesired(({update}) => {
		if (update === undefined || given.has(update.orderId)) {
			return;
		}
		const {orderId, release} = update;
		given.add(orderId);
		const enter = (phase: UpdatePhase, reason?: Reason): void => {
			const state: UpdateStatus = {phase, orderId, release, sinceMs: Date.now(), ...(reason && {reason})};
			box.tellEvent({kind: 'update', data: state});
			tell(state);
		};
		void (async () => {
			for (const phase of way) {
				await sleep(phaseMs);
				enter(phase);
			}
			await sleep(phaseMs);
			const reason = await judge(box.deviceId, release);
			if (reason === undefined) {
				running = release;
			}
			enter(reason === undefined ? 'confirmed' : 'rolled-back', reason);
		})();
	});
};

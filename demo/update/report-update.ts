import type {DemoReport} from '#demo/report/report-schema.ts';
import type {RolloutMember} from '#demo/update/roll-out.ts';
import type {Rollout} from '#ota/contract/rollout-api.ts';

export type UpdateReport = NonNullable<DemoReport['update']>;

/** One line for the terminal: where each wave stands. */
export const describeRollout = ({state, groups}: Rollout): string =>
	`rollout ${state}: ${groups
		.map(({spec, counts, phases}) => {
			const phase = Object.keys(phases)[0];
			const open = phase === undefined ? [] : [phase];
			const ended = Object.entries(counts).flatMap(([name, count]) => (count > 0 ? [`${count} ${name}`] : []));
			return `${spec.name} ${[...ended, ...open].join(', ')}`;
		})
		.join('; ')}`;

/** The part `update` of the demo's report. */
export const reportUpdate = (facts: {
	readonly rollout: Rollout;
	readonly members: readonly RolloutMember[];
	readonly bundleBytes: number;
	readonly stopped: boolean;
}): UpdateReport => {
	const {rollout, members, bundleBytes, stopped} = facts;
	return {
		release: rollout.spec.release,
		bundleBytes,
		stoppedByItself: stopped,
		waves: rollout.groups.map(({ordinal, spec}) => {
			const own = members.filter(({group}) => group === ordinal);
			return {
				name: spec.name,
				boxes: own.map(({box}) => box),
				confirmed: own.filter(({phase, state}) => state === 'done' && phase === 'confirmed').length,
				rolledBack: own.filter(({phase}) => phase === 'rolled-back').length,
				reasons: own.flatMap(({reason}) => (reason === null ? [] : [`${reason.code}: ${reason.message}`])),
			};
		}),
		bytesUnicast: members.reduce((sum, {bytes}) => sum + bytes.unicast, 0),
		bytesMulticast: members.reduce((sum, {bytes}) => sum + bytes.carousel, 0),
	};
};

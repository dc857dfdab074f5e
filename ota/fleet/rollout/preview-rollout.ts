import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import type {GroupSpec, RolloutPreview, RolloutSpec} from '#ota/contract/rollout-api.ts';
import {divideIntoGroups, type GroupInterval} from '#ota/fleet/rollout/divide-into-groups.ts';
import type {MatchedBox} from '#ota/fleet/rollout/rollout-members.ts';

const sampleMax = 10;
/** A first group of more than this part of the fleet is no canary. */
const canaryMax = 0.25;

export type Preview = {
	readonly preview: RolloutPreview;
	readonly intervals: readonly GroupInterval<MatchedBox>[];
};

/** What groups a rollout would have now, and what a person should know before it is started. */
export const previewRollout = (
	boxes: readonly MatchedBox[],
	{spec, salt}: {readonly spec: RolloutSpec; readonly salt: string},
): Preview => {
	const intervals = divideIntoGroups(boxes, {groups: spec.groups, salt});
	const groups = intervals.map(({from, to, boxes: members}, ordinal) => ({
		name: spec.groups[ordinal]?.name ?? '',
		from,
		to,
		boxes: members.length,
		alreadyDone: members.filter(({release}) => release === spec.release).length,
		online: members.filter(({presence}) => presence === 'online').length,
		sample: members.slice(0, sampleMax).map(({id}) => deviceIdSchema.parse(id)),
	}));
	return {intervals, preview: {boxes: boxes.length, groups, warnings: warningsOf(boxes, {spec, intervals})}};
};

const warningsOf = (
	boxes: readonly MatchedBox[],
	{spec, intervals}: {readonly spec: RolloutSpec; readonly intervals: readonly GroupInterval<MatchedBox>[]},
): string[] => {
	const inGroups = intervals.reduce((sum, group) => sum + group.boxes.length, 0);
	const first = intervals[0]?.boxes.length ?? 0;
	const away = boxes.filter(({presence}) => presence !== 'online').length;
	const busy = boxes.filter(({updatePhase}) =>
		['fetching', 'installing', 'rebooting', 'confirming'].includes(updatePhase),
	);
	const empty = intervals.flatMap((group, ordinal) => (group.boxes.length === 0 ? [nameOf(spec.groups[ordinal])] : []));
	return [
		...(boxes.length === 0 ? ['No box that the fleet knows matches.'] : []),
		...(boxes.length > 4 && first > boxes.length * canaryMax
			? [`The first group holds ${first} of ${boxes.length} boxes: a mistake would reach all of them at once.`]
			: []),
		...(inGroups < boxes.length ? [`${boxes.length - inGroups} boxes match and are in no group.`] : []),
		...(boxes.length > 0 && empty.length > 0 ? [`No box is in ${empty.join(', ')}.`] : []),
		...(away > 0 ? [`${away} boxes are not online: they count as failed when they stay silent for too long.`] : []),
		...(busy.length > 0 ? [`${busy.length} boxes are in the middle of another update.`] : []),
	];
};

const nameOf = (group: GroupSpec | undefined): string => `"${group?.name ?? ''}"`;

import {parse, stringify} from 'yaml';
import type {Seed} from '#image/seed/seed-schema.ts';
import {mergePatch} from '#ota/member/merge-patch.ts';

export type BoxFileParts = {
	/** The image's own, in YAML. */
	readonly template: string;
	/** What the box has now; a seed brought later is laid over it. */
	readonly current: string | undefined;
	readonly seed: Seed | undefined;
	readonly defaultId: string;
};

/** The text of the box's file. Pure; what a seed asks wrongly is found by the supervisor's own schema, which the caller asks. */
export const boxFileText = ({template, current, seed, defaultId}: BoxFileParts): string => {
	const {deviceId, site, tags, timeZone, config} = seed ?? {};
	const patches: readonly unknown[] = [
		parse(template),
		...(current === undefined ? [{box: {id: defaultId}}] : [parse(current)]),
		...(deviceId === undefined ? [] : [{box: {id: deviceId}}]),
		{
			fleet: {
				...(site === undefined ? {} : {site}),
				...(tags === undefined ? {} : {tags}),
				...(timeZone === undefined ? {} : {timeZone}),
			},
		},
		...(config === undefined ? [] : [config]),
	];
	return stringify(patches.reduce(mergePatch, {}));
};

import {join} from 'node:path';
import {boxesCome} from '#demo/fleet/fleet-boxes.ts';
import type {DemoFleet} from '#demo/fleet/start-demo-fleet.ts';
import {makeRelease, secondRelease} from '#demo/update/make-release.ts';
import {describeRollout, reportUpdate, type UpdateReport} from '#demo/update/report-update.ts';
import {act, rolloutMembers, startRollout, watchRollout} from '#demo/update/roll-out.ts';
import {updateBoxes} from '#demo/update/update-boxes.ts';
import type {Rollout} from '#ota/contract/rollout-api.ts';

const comeTimeoutMs = 60_000;
const rolloutTimeoutMs = 300_000;
/** The object is repeated every few seconds in the demo's small carousel. */
const carouselWaitMs = 120_000;
const minuteMs = 60_000;

/**
 * A second version for the two set-tops that have slots, by the carousel, in two waves. One of the boxes cannot run it:
 * it falls back by itself, the rollout stops by itself, and goes on when a person has accepted that.
 */
export const runUpdate = async (options: {
	readonly fleet: DemoFleet;
	readonly headendUrl: string;
	/** Boxes that the fleet sees when all have come. */
	readonly boxCount: number;
	readonly directory: string;
	readonly signal: AbortSignal;
	readonly onProgress: (line: string) => void;
}): Promise<UpdateReport> => {
	const {fleet, headendUrl, boxCount, directory, signal, onProgress} = options;
	const {ask, url} = fleet;
	await boxesCome({ask, count: boxCount, timeoutMs: comeTimeoutMs, signal});
	onProgress(`builds, signs and publishes release ${secondRelease}, and puts it into the carousel`);
	const {bundleBytes} = await makeRelease({
		directory,
		keyDirectory: join(fleet.stateDirectory, 'release-key'),
		fleet: {url, token: fleet.token},
		headendUrl,
		signal,
	});
	const started = await startRollout({url, ask, signal, rollout: rolloutOf()});
	let told = '';
	const tell = (rollout: Rollout): void => {
		const line = describeRollout(rollout);
		if (line !== told) {
			told = line;
			onProgress(line);
		}
	};
	const watch = (until: (rollout: Rollout) => boolean): Promise<Rollout> =>
		watchRollout({ask, id: started.id, until, timeoutMs: rolloutTimeoutMs, signal, onChange: tell});
	const isOver = ({state}: Rollout): boolean => state === 'finished' || state === 'aborted';
	let rollout = await watch((now) => isOver(now) || now.state === 'paused');
	const stopped = rollout.state === 'paused';
	if (stopped && rollout.groups.some(({state}) => state === 'waiting')) {
		onProgress(`the rollout stopped by itself: ${rollout.reason?.message ?? ''}; it is resumed, as a person would`);
		await act(ask, rollout, 'resume');
		rollout = await watch(isOver);
	}
	return reportUpdate({rollout, members: await rolloutMembers(ask, started.id), bundleBytes, stopped});
};

const rolloutOf = (): Parameters<typeof startRollout>[0]['rollout'] => ({
	name: 'The second version',
	release: secondRelease as Parameters<typeof startRollout>[0]['rollout']['release'],
	kind: 'stb',
	filter: updateBoxes.map(({deviceId}) => `id = ${deviceId}`).join(' or '),
	groups: [
		{name: 'first wave', size: {kind: 'count', count: 1}, errorCount: 1, errorPercent: null},
		{name: 'second wave', size: {kind: 'percent', percent: 100}, errorCount: 1, errorPercent: null},
	],
	deadlines: {
		...{acceptMs: minuteMs, fetchMs: 3 * minuteMs, installMs: minuteMs, rebootMs: minuteMs},
		...{confirmMs: minuteMs, graceMs: minuteMs},
	},
	sources: {carouselWaitMs, blocks: false, https: true},
	lateJoiners: {kind: 'ignore'},
});

import type {PlaybackReport} from '#appliance/contract/playback-report.ts';

const intervalMs = 30_000;

/** Tells the box how playback goes, now and then and when it ends, so that the operator knows what viewers see. */
export const reportPlayback = (read: () => PlaybackReport): void => {
	let before: PlaybackReport['state'] = 'idle';
	const tell = (): void => {
		const report = read();
		if (report.state !== 'idle' || before !== 'idle') {
			// A beacon is sent even while the page goes away, and nobody waits for it.
			navigator.sendBeacon('/box/playback', new Blob([JSON.stringify(report)], {type: 'application/json'}));
		}
		before = report.state;
	};
	setInterval(tell, intervalMs);
	addEventListener('pagehide', tell);
};

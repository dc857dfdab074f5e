import type {PlaybackReport} from '#appliance/contract/playback-report.ts';
import {type Engine, startEngine} from './hls-engine.ts';
import {type PageTitle, playablePathOf} from './page-title.ts';
import {PlaybackMeter} from './playback-meter.ts';
import {type PlayerError, type PlayerErrorCode, playerError} from './player-message.ts';

type Run = {
	readonly title: PageTitle;
	readonly meter: PlaybackMeter;
	engine?: Engine | undefined;
	error?: PlayerError | undefined;
	retries: number;
};

const bufferedAheadMs = (video: HTMLVideoElement): number => {
	for (let index = 0; index < video.buffered.length; index += 1) {
		// A start a little later than the playhead is the gap that the player jumps.
		if (video.buffered.start(index) <= video.currentTime + 0.1 && video.buffered.end(index) >= video.currentTime) {
			return (video.buffered.end(index) - video.currentTime) * 1000;
		}
	}
	return 0;
};

/** One playback at a time in one video element: start, stop, try again, and what can be told of it. */
export class Playback {
	readonly #video: HTMLVideoElement;
	readonly #onChange: () => void;
	#run: Run | undefined;

	constructor(video: HTMLVideoElement, onChange: () => void) {
		this.#video = video;
		this.#onChange = onChange;
		for (const name of ['playing', 'pause', 'ended', 'volumechange', 'waiting', 'loadeddata']) {
			video.addEventListener(name, () => onChange());
		}
	}

	get title(): PageTitle | undefined {
		return this.#run?.title;
	}

	get error(): PlayerError | undefined {
		return this.#run?.error;
	}

	async play(title: PageTitle): Promise<void> {
		this.stop();
		const run: Run = {title, meter: new PlaybackMeter(this.#video, this.#onChange), retries: 0};
		this.#run = run;
		run.meter.start();
		this.#onChange();
		const path = playablePathOf(title);
		const fail = (code: PlayerErrorCode): void => this.#fail(run, code);
		if (path === undefined) {
			fail('STB_PAGE_UNSUPPORTED');
			return;
		}
		try {
			const options = {video: this.#video, path, onFatal: fail, onRetry: () => this.#retried(run)};
			const engine = await startEngine(options);
			if (this.#run !== run) {
				engine?.stop();
				return;
			}
			run.engine = engine;
		} catch {
			fail('STB_PAGE_UNREACHABLE');
			return;
		}
		if (run.engine === undefined) {
			fail('STB_PAGE_UNSUPPORTED');
			return;
		}
		await this.#startMedia();
	}

	/** A browser that wants a gesture first lets a muted picture start; the viewer is offered the sound. */
	async #startMedia(): Promise<void> {
		try {
			await this.#video.play();
		} catch (error) {
			if (error instanceof DOMException && error.name === 'NotAllowedError') {
				this.#video.muted = true;
				// When even that is refused, the play button is on the screen.
				await this.#video.play().catch(() => undefined);
			}
		}
	}

	stop(): void {
		const run = this.#run;
		this.#run = undefined;
		run?.meter.stop();
		run?.engine?.stop();
		this.#video.pause();
		this.#onChange();
	}

	async retry(): Promise<void> {
		const title = this.title;
		if (title !== undefined) {
			await this.play(title);
		}
	}

	report(): PlaybackReport {
		const video = this.#video;
		const run = this.#run;
		const times = run?.meter.times();
		const quality = video.getVideoPlaybackQuality();
		const live = run?.title.kind === 'live' ? run.engine?.liveLatencyMs() : undefined;
		return {
			version: 1,
			state: this.#state(),
			...(run === undefined ? {} : {titleId: run.title.id, kind: run.title.kind}),
			...(times?.startupMs === undefined ? {} : {startupMs: times.startupMs}),
			stalls: times?.stalls ?? 0,
			stalledMs: times?.stalledMs ?? 0,
			framesDecoded: quality.totalVideoFrames,
			framesDropped: quality.droppedVideoFrames,
			currentTimeMs: video.currentTime * 1000,
			bufferedAheadMs: bufferedAheadMs(video),
			...(live === undefined ? {} : {liveLatencyMs: live}),
			...run?.engine?.level(),
			retries: run?.retries ?? 0,
			muted: video.muted,
			...(run?.error === undefined ? {} : {error: {code: run.error.code, message: run.error.message}}),
		};
	}

	#state(): PlaybackReport['state'] {
		const run = this.#run;
		if (run === undefined) {
			return 'idle';
		}
		if (run.error !== undefined) {
			return 'failed';
		}
		const {startupMs, stalling} = run.meter.times();
		if (startupMs === undefined) {
			return 'starting';
		}
		if (this.#video.ended) {
			return 'ended';
		}
		if (this.#video.paused) {
			return 'paused';
		}
		return stalling ? 'stalled' : 'playing';
	}

	#retried(run: Run): void {
		run.retries += 1;
	}

	#fail(run: Run, code: PlayerErrorCode): void {
		if (this.#run === run && run.error === undefined) {
			run.error = playerError(code);
			run.meter.stop();
			run.engine?.stop();
			run.engine = undefined;
			this.#onChange();
		}
	}
}

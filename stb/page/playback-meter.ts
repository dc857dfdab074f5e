/** Below this a wait is the decoder's breath and not something that a viewer sees. */
const stallMsMin = 100;
/** At the very end browsers wait for data that nobody announced. */
const endMarginSeconds = 0.5;

export type PlaybackTimes = {
	readonly startupMs: number | undefined;
	readonly stalls: number;
	readonly stalledMs: number;
	readonly stalling: boolean;
};

/** Measures one playback from the press of the button: when the first frame came, and when the picture stood still. */
export class PlaybackMeter {
	readonly #video: HTMLVideoElement;
	readonly #onChange: () => void;
	readonly #pressedMs = performance.now();
	readonly #controller = new AbortController();
	#startupMs: number | undefined;
	#stalls = 0;
	#stalledMs = 0;
	#waitingSinceMs: number | undefined;
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(video: HTMLVideoElement, onChange: () => void) {
		this.#video = video;
		this.#onChange = onChange;
	}

	start(): void {
		const {signal} = this.#controller;
		const video = this.#video;
		const started = (): void => this.#started();
		video.addEventListener('timeupdate', () => video.currentTime > 0 && !video.paused && started(), {signal});
		if ('requestVideoFrameCallback' in video) {
			video.requestVideoFrameCallback(started);
		}
		video.addEventListener('waiting', () => this.#waiting(), {signal});
		for (const name of ['playing', 'timeupdate', 'pause', 'seeking', 'ended']) {
			video.addEventListener(name, () => this.#moving(), {signal});
		}
	}

	stop(): void {
		this.#moving();
		this.#controller.abort();
	}

	times(): PlaybackTimes {
		const waitedMs = this.#waitedMs();
		const stalling = waitedMs >= stallMsMin;
		return {
			startupMs: this.#startupMs,
			stalls: this.#stalls + (stalling ? 1 : 0),
			stalledMs: this.#stalledMs + (stalling ? waitedMs : 0),
			stalling,
		};
	}

	#started(): void {
		if (this.#startupMs === undefined && !this.#controller.signal.aborted) {
			this.#startupMs = performance.now() - this.#pressedMs;
			this.#onChange();
		}
	}

	#waiting(): void {
		const video = this.#video;
		const atEnd = Number.isFinite(video.duration) && video.duration - video.currentTime < endMarginSeconds;
		if (this.#startupMs === undefined || video.seeking || video.paused || video.ended || atEnd) {
			return;
		}
		this.#waitingSinceMs ??= performance.now();
		clearTimeout(this.#timer);
		this.#timer = setTimeout(this.#onChange, stallMsMin);
	}

	#waitedMs(): number {
		return this.#waitingSinceMs === undefined ? 0 : performance.now() - this.#waitingSinceMs;
	}

	#moving(): void {
		const waitedMs = this.#waitedMs();
		clearTimeout(this.#timer);
		this.#waitingSinceMs = undefined;
		if (waitedMs >= stallMsMin) {
			this.#stalls += 1;
			this.#stalledMs += waitedMs;
			this.#onChange();
		}
	}
}

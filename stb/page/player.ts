import type {PlaybackReport} from '#appliance/contract/playback-report.ts';
import {setAttribute, setText} from '../../appliance/page/dom.ts';
import {formatTime} from '../../appliance/page/format.ts';
import type {PageTitle} from './page-title.ts';
import {Playback} from './playback.ts';
import {createPlayerView, type PlayerView} from './player-view.ts';
import {seekableRange, seekBy, seekTo} from './seek.ts';

const refreshIntervalMs = 250;
/** Controls leave the picture after so long without a key or a pointer. */
const controlsVisibleMs = 3500;
const seekStepSeconds = 10;
const volumeStep = 0.1;

const factsOf = (report: PlaybackReport): string => {
	const parts = [
		report.heightPixels === undefined || report.heightPixels === 0 ? '' : `${report.heightPixels}p`,
		report.startupMs === undefined ? '' : `started in ${(report.startupMs / 1000).toFixed(1)} s`,
		report.stalls === 0 ? '' : `${report.stalls} ${report.stalls === 1 ? 'pause' : 'pauses'} for the signal`,
	];
	return parts.filter((part) => part !== '').join(' · ');
};

/** The full-screen player: a modal dialog over the home page, worked by pointer, touch, keyboard or remote control. */
export class Player {
	readonly #view: PlayerView = createPlayerView();
	readonly #playback: Playback;
	#timer: ReturnType<typeof setInterval> | undefined;
	#hideTimer: ReturnType<typeof setTimeout> | undefined;
	#seeking = false;

	constructor() {
		this.#playback = new Playback(this.#view.video, () => this.#refresh());
		this.#listen();
	}

	get element(): HTMLElement {
		return this.#view.dialog;
	}

	get report(): PlaybackReport {
		return this.#playback.report();
	}

	open(title: PageTitle): void {
		const {dialog, name, badge, close} = this.#view;
		setText(name, title.name);
		setText(badge, title.kind === 'live' ? 'Live' : '');
		setAttribute(dialog, 'data-kind', title.kind);
		if (!dialog.open) {
			dialog.showModal();
			// Back in the browser, on a remote control or by a gesture, leaves the player and not the page.
			history.pushState({player: title.id}, '', `?play=${encodeURIComponent(title.id)}`);
			close.focus({preventScroll: true});
		}
		this.#timer ??= setInterval(() => this.#refresh(), refreshIntervalMs);
		this.#wake();
		void this.#playback.play(title);
	}

	close(): void {
		if (this.#view.dialog.open) {
			history.back();
		}
	}

	#closed(): void {
		clearInterval(this.#timer);
		this.#timer = undefined;
		this.#playback.stop();
		if (document.fullscreenElement !== null) {
			void document.exitFullscreen();
		}
		this.#view.dialog.close();
	}

	#listen(): void {
		const {dialog, video, close, leave, toggle, mute, full, retry, seek, unmute} = this.#view;
		addEventListener('popstate', () => dialog.open && this.#closed());
		dialog.addEventListener('cancel', (event) => {
			event.preventDefault();
			this.close();
		});
		close.addEventListener('click', () => this.close());
		leave.addEventListener('click', () => this.close());
		retry.addEventListener('click', () => void this.#playback.retry());
		toggle.addEventListener('click', () => this.#toggle());
		video.addEventListener('click', () => this.#toggle());
		mute.addEventListener('click', () => this.#mute());
		unmute.addEventListener('click', () => this.#mute());
		full.addEventListener('click', () => void this.#fullScreen());
		seek.addEventListener('input', () => {
			this.#seeking = true;
			seekTo(video, Number(seek.value) / Number(seek.max));
		});
		seek.addEventListener('change', () => {
			this.#seeking = false;
		});
		for (const name of ['pointermove', 'pointerdown', 'focusin']) {
			dialog.addEventListener(name, () => this.#wake());
		}
		dialog.addEventListener('keydown', (event) => this.#key(event));
	}

	#toggle(): void {
		const {video} = this.#view;
		if (video.paused) {
			void video.play().catch(() => undefined);
		} else {
			video.pause();
		}
	}

	#mute(): void {
		const {video} = this.#view;
		video.muted = !video.muted;
	}

	async #fullScreen(): Promise<void> {
		if (document.fullscreenElement === null) {
			await this.#view.dialog.requestFullscreen().catch(() => undefined);
		} else {
			await document.exitFullscreen();
		}
	}

	#key(event: KeyboardEvent): void {
		this.#wake();
		const {video} = this.#view;
		const onButton = event.target instanceof HTMLButtonElement;
		const actions: Readonly<Record<string, (() => void) | undefined>> = {
			' ': onButton ? undefined : () => this.#toggle(),
			Enter: onButton ? undefined : () => this.#toggle(),
			k: () => this.#toggle(),
			MediaPlayPause: () => this.#toggle(),
			ArrowLeft: () => seekBy(video, -seekStepSeconds),
			ArrowRight: () => seekBy(video, seekStepSeconds),
			ArrowUp: () => this.#volume(volumeStep),
			ArrowDown: () => this.#volume(-volumeStep),
			m: () => this.#mute(),
			f: () => void this.#fullScreen(),
		};
		const action = event.altKey || event.ctrlKey || event.metaKey ? undefined : actions[event.key];
		if (action !== undefined) {
			event.preventDefault();
			action();
			this.#refresh();
		}
	}

	#volume(change: number): void {
		const {video} = this.#view;
		video.muted = false;
		video.volume = Math.min(1, Math.max(0, video.volume + change));
	}

	#wake(): void {
		const {dialog} = this.#view;
		setAttribute(dialog, 'data-idle', undefined);
		clearTimeout(this.#hideTimer);
		this.#hideTimer = setTimeout(() => setAttribute(dialog, 'data-idle', true), controlsVisibleMs);
	}

	#refresh(): void {
		const view = this.#view;
		const report = this.#playback.report();
		const {error} = this.#playback;
		setAttribute(view.dialog, 'data-state', report.state);
		view.spinner.hidden = report.state !== 'starting' && report.state !== 'stalled';
		setText(view.waiting, report.state === 'stalled' ? 'Waiting for the signal' : '');
		const wasHidden = view.failure.hidden;
		view.failure.hidden = error === undefined;
		if (error !== undefined) {
			setText(view.message, error.message);
			setText(view.code, error.code);
			view.retry.hidden = !error.canRetry;
			if (wasHidden && view.dialog.open) {
				(error.canRetry ? view.retry : view.leave).focus();
			}
		}
		const paused = view.video.paused;
		setAttribute(view.toggle, 'aria-label', paused ? 'Play' : 'Pause');
		setAttribute(view.playShape, 'display', paused ? undefined : 'none');
		setAttribute(view.pauseShape, 'display', paused ? 'none' : undefined);
		setAttribute(view.mute, 'aria-label', report.muted ? 'Sound on' : 'Mute');
		setAttribute(view.soundShape, 'display', report.muted ? 'none' : undefined);
		setAttribute(view.silentShape, 'display', report.muted ? undefined : 'none');
		view.unmute.hidden = !report.muted || report.state === 'failed';
		setText(view.facts, factsOf(report));
		this.#refreshPosition(report);
	}

	#refreshPosition(report: PlaybackReport): void {
		const {seek, time, video} = this.#view;
		const range = seekableRange(video);
		const length = range.end - range.start;
		const ratio = length > 0 ? Math.min(1, Math.max(0, (video.currentTime - range.start) / length)) : 0;
		const ahead = length > 0 ? Math.min(1, ratio + report.bufferedAheadMs / 1000 / length) : 0;
		if (!this.#seeking) {
			seek.value = String(Math.round(ratio * Number(seek.max)));
		}
		seek.style.setProperty('--position', String(ratio));
		seek.style.setProperty('--buffered', String(ahead));
		const behindMs = report.liveLatencyMs ?? (range.end - video.currentTime) * 1000;
		const text =
			report.kind === 'live'
				? `${formatTime(behindMs)} behind live`
				: `${formatTime(report.currentTimeMs)} / ${formatTime(range.end * 1000)}`;
		setText(time, report.startupMs === undefined ? '' : text);
		setAttribute(seek, 'aria-valuetext', text);
	}
}

import {lowestHz, toneHz} from './signal-scale.ts';

const volume = 0.25;
/** Slow enough that a step is a glide, fast enough to follow a hand. */
const glideSeconds = 0.06;
/** So long a reading may be followed: a few that fail are bridged, and no hand turns a dish by what was. */
const staleSeconds = 1;

export type SignalTone = {
	/** Resolves to whether it sounds now. Browsers allow sound only from within a press. */
	readonly toggle: () => Promise<boolean>;
	readonly sounds: () => boolean;
	/** `undefined` is silence: nothing is measured. */
	readonly follow: (ratio: number | undefined) => void;
};

export const createSignalTone = (): SignalTone => {
	let playing: {readonly context: AudioContext; readonly tone: OscillatorNode; readonly gain: GainNode} | undefined;
	return {
		toggle: async () => {
			if (playing !== undefined) {
				const {context} = playing;
				playing = undefined;
				await context.close();
				return false;
			}
			const context = new AudioContext();
			const tone = new OscillatorNode(context, {type: 'triangle', frequency: lowestHz});
			const gain = new GainNode(context, {gain: 0});
			tone.connect(gain).connect(context.destination);
			tone.start();
			playing = {context, tone, gain};
			await context.resume();
			return true;
		},
		sounds: () => playing !== undefined,
		follow: (ratio) => {
			if (playing === undefined) {
				return;
			}
			const {context, tone, gain} = playing;
			const {currentTime} = context;
			gain.gain.cancelScheduledValues(currentTime);
			gain.gain.setTargetAtTime(ratio === undefined ? 0 : volume, currentTime, glideSeconds);
			if (ratio !== undefined) {
				tone.frequency.setTargetAtTime(toneHz(ratio), currentTime, glideSeconds);
				// Ordered ahead: when no reading follows, this page may be one that the browser lets do nothing.
				gain.gain.setTargetAtTime(0, currentTime + staleSeconds, glideSeconds);
			}
		},
	};
};

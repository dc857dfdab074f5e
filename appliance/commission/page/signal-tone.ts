import {lowestHz, toneHz} from './signal-scale.ts';

const volume = 0.25;
/** Slow enough that a step is a glide, fast enough to follow a hand. */
const glideSeconds = 0.06;

export type SignalTone = {
	/** Resolves to whether it sounds now. Browsers allow sound only from within a press. */
	readonly toggle: () => Promise<boolean>;
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
		follow: (ratio) => {
			if (playing === undefined) {
				return;
			}
			const {context, tone, gain} = playing;
			gain.gain.setTargetAtTime(ratio === undefined ? 0 : volume, context.currentTime, glideSeconds);
			if (ratio !== undefined) {
				tone.frequency.setTargetAtTime(toneHz(ratio), context.currentTime, glideSeconds);
			}
		},
	};
};

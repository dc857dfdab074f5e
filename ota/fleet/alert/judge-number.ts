import type {AlertRuleSettings} from '#ota/contract/alert-api.ts';
import type {Finding} from '#ota/fleet/alert/step-alert.ts';

/** A number against its two thresholds; which side is bad is told by their order. What is between them changes nothing. */
export const judgeNumber = (
	value: number,
	{raiseAt, clearAt}: Pick<AlertRuleSettings, 'raiseAt' | 'clearAt'>,
): Finding['verdict'] => {
	if (raiseAt === null) {
		return 'good';
	}
	const clear = clearAt ?? raiseAt;
	if (raiseAt > clear) {
		return value >= raiseAt ? 'bad' : value <= clear ? 'good' : 'unchanged';
	}
	return value <= raiseAt ? 'bad' : value >= clear ? 'good' : 'unchanged';
};

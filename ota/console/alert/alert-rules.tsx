import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import type {AlertRuleSettings} from '#ota/contract/alert-api.ts';
import {Badge, SeverityBadge} from '../component/badge.tsx';
import {Button} from '../component/button.tsx';
import {FormDialog} from '../component/dialog.tsx';
import {Failed} from '../component/empty.tsx';
import {CheckField, SelectField, TextField, wordChoices} from '../component/field.tsx';
import {formatBytes} from '../format/format-number.ts';
import {formatDuration} from '../format/format-time.ts';
import {request} from '../state/request.ts';
import {may} from '../state/session.ts';
import {useResource} from '../state/use-resource.ts';

type Unit = AlertRuleSettings['unit'];

const inUnit: Readonly<Record<Unit, (value: number) => string>> = {
	ms: formatDuration,
	bytes: formatBytes,
	celsius: (value) => `${value} °C`,
	decibel: (value) => `${value} dB`,
	percent: (value) => `${value} %`,
	none: String,
};
/** What a person types a threshold in, and how much of the API's unit that is. */
const typedIn: Readonly<Record<Unit, readonly [string, number]>> = {
	ms: ['minutes', 60_000],
	bytes: ['MiB', 1_048_576],
	celsius: ['°C', 1],
	decibel: ['dB', 1],
	percent: ['%', 1],
	none: ['', 1],
};
const minuteMs = 60_000;

export const AlertRules = (): JSX.Element => {
	const rules = useResource<{items: readonly AlertRuleSettings[]}>('/alert-rules', {live: ['alerts']});
	const open = useSignal<AlertRuleSettings | undefined>(undefined);
	const show = (rule: AlertRuleSettings, value: number | null): string =>
		value === null ? '–' : inUnit[rule.unit](value);
	return (
		<section class="panel panel-flush" aria-label="Alert rules">
			{rules.error.value !== undefined && <Failed error={rules.error.value} onRetry={rules.reload} />}
			<div class="table-wrap">
				<table class="table">
					<thead>
						<tr>
							{['Rule', 'Severity', 'Raised at', 'Cleared at', 'After', 'Cleared after', ''].map((head) => (
								<th key={head}>{head}</th>
							))}
						</tr>
					</thead>
					<tbody>
						{rules.data.value?.items.map((rule) => (
							<tr key={rule.rule}>
								<td class="wide">{rule.rule}</td>
								<td>{rule.enabled ? <SeverityBadge severity={rule.severity} /> : <Badge>off</Badge>}</td>
								<td class="nowrap">{show(rule, rule.raiseAt)}</td>
								<td class="nowrap">{show(rule, rule.clearAt)}</td>
								<td class="nowrap">{rule.raiseAfterMs === 0 ? 'at once' : formatDuration(rule.raiseAfterMs)}</td>
								<td class="nowrap">{rule.clearAfterMs === 0 ? 'at once' : formatDuration(rule.clearAfterMs)}</td>
								<td>
									{may('admin') && (
										<Button
											title={`Change ${rule.rule}`}
											onPress={() => {
												open.value = rule;
											}}
										>
											Change …
										</Button>
									)}
								</td>
							</tr>
						))}
					</tbody>
				</table>
			</div>
			{open.value !== undefined && (
				<RuleDialog
					rule={open.value}
					onDone={rules.reload}
					onClose={() => {
						open.value = undefined;
					}}
				/>
			)}
		</section>
	);
};

type RuleDialogProps = {readonly rule: AlertRuleSettings; readonly onDone: () => void; readonly onClose: () => void};

const RuleDialog = ({rule, onDone, onClose}: RuleDialogProps): JSX.Element => {
	const [unit, factor] = typedIn[rule.unit];
	const enabled = useSignal(rule.enabled);
	const severity = useSignal<string>(rule.severity);
	const raiseAt = useSignal(String((rule.raiseAt ?? 0) / factor));
	const clearAt = useSignal(String((rule.clearAt ?? 0) / factor));
	const raiseAfter = useSignal(String(rule.raiseAfterMs / minuteMs));
	const clearAfter = useSignal(String(rule.clearAfterMs / minuteMs));
	const submit = async (): Promise<void> => {
		await request('PUT', `/alert-rules/${rule.rule}`, {
			body: {
				enabled: enabled.value,
				severity: severity.value,
				raiseAt: rule.raiseAt === null ? null : Number(raiseAt.value) * factor,
				clearAt: rule.clearAt === null ? null : Number(clearAt.value) * factor,
				raiseAfterMs: Math.round(Number(raiseAfter.value) * minuteMs),
				clearAfterMs: Math.round(Number(clearAfter.value) * minuteMs),
			},
		});
		onDone();
	};
	return (
		<FormDialog title={`Rule ${rule.rule}`} verb="Save" done="The rule was changed" onClose={onClose} onSubmit={submit}>
			<CheckField label="Alerts are raised by this rule" value={enabled} />
			<SelectField label="Severity" value={severity} choices={wordChoices(['warning', 'critical'])} />
			{rule.raiseAt !== null && (
				<TextField label={`Raised at, ${unit}`} value={raiseAt} type="number" step="any" required={true} />
			)}
			{rule.clearAt !== null && (
				<TextField label={`Cleared at, ${unit}`} value={clearAt} type="number" step="any" required={true} />
			)}
			<TextField label="When it lasted, minutes" value={raiseAfter} type="number" min={0} step="any" />
			<TextField label="Cleared when gone for, minutes" value={clearAfter} type="number" min={0} step="any" />
		</FormDialog>
	);
};

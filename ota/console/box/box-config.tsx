import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import type {BoxDetail} from '#ota/contract/box-api.ts';
import {Button} from '../component/button.tsx';
import {AreaField} from '../component/field.tsx';
import {Panel} from '../component/panel.tsx';
import {request} from '../state/request.ts';
import {may} from '../state/session.ts';
import {attempt} from '../state/toast.ts';
import {diffLines} from './diff-lines.ts';

type BoxConfigProps = {readonly box: BoxDetail; readonly etag: string | undefined; readonly onSaved: () => void};

const write = (value: unknown): string => JSON.stringify(value, null, 2);
const marks = {same: '  ', added: '+ ', removed: '- '} as const;

/** The overlay that the fleet wants on this box, and what a change of it would change. */
export const BoxConfig = ({box, etag, onSaved}: BoxConfigProps): JSX.Element => {
	const before = write(box.config);
	const text = useSignal(before);
	// What was read when the editing began: somebody else's change in between is refused, not overwritten.
	const base = useSignal({etag, before});
	const wrong = wrongWith(text.value);
	const isChanged = text.value !== base.value.before;
	if (!isChanged && base.value.before !== before) {
		text.value = before;
		base.value = {etag, before};
	}
	const save = () =>
		attempt(async () => {
			await request('PATCH', `/boxes/${encodeURIComponent(box.id)}`, {
				body: {config: JSON.parse(text.value)},
				ifMatch: etag,
			});
			base.value = {etag, before: text.value};
			onSaved();
		}, 'The overlay is on its way to the box');
	const refused = box.reported?.config.refused;
	return (
		<div class="grid">
			{refused !== undefined && (
				<div class="notice span-12" data-tone="bad">
					The box refused the last overlay: {refused}
				</div>
			)}
			<Panel title="Overlay" class="span-6 config-text">
				<AreaField
					label="JSON, merged over the box's own file (RFC 7396)"
					value={text}
					wrong={wrong}
					hint="null takes a setting away; the box checks it before it is kept."
				/>
			</Panel>
			<Panel
				title="What changes"
				class="span-6"
				actions={
					may('operator') && (
						<>
							<Button
								disabled={!isChanged}
								onPress={() => {
									text.value = before;
								}}
							>
								Undo
							</Button>
							<Button look="primary" disabled={!isChanged || wrong !== undefined} onPress={save}>
								Save
							</Button>
						</>
					)
				}
			>
				<div class="diff">
					{diffLines(base.value.before, text.value).map((line, index) => (
						<div key={index} data-change={line.change}>
							{marks[line.change]}
							{line.text}
						</div>
					))}
				</div>
			</Panel>
		</div>
	);
};

const wrongWith = (text: string): string | undefined => {
	try {
		const value: unknown = JSON.parse(text);
		return typeof value === 'object' && value !== null && !Array.isArray(value) ? undefined : 'It must be an object.';
	} catch (error) {
		return error instanceof Error ? error.message : 'This is no JSON.';
	}
};

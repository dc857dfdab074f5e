import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import type {BoxDetail, Site} from '#ota/contract/box-api.ts';
import {Button} from '../component/button.tsx';
import {FormDialog} from '../component/dialog.tsx';
import {SelectField, TextField} from '../component/field.tsx';
import {Panel} from '../component/panel.tsx';
import {request} from '../state/request.ts';
import {may} from '../state/session.ts';
import {useResource} from '../state/use-resource.ts';

type BoxPlaceProps = {readonly box: BoxDetail; readonly etag: string | undefined; readonly onChanged: () => void};

/** Where it stands and how people group it. */
export const BoxPlace = (props: BoxPlaceProps): JSX.Element => {
	const isOpen = useSignal(false);
	const {box} = props;
	const edit = (
		<Button
			onPress={() => {
				isOpen.value = true;
			}}
		>
			Change …
		</Button>
	);
	return (
		<Panel title="Site and tags" class="span-5" {...(may('operator') && {actions: edit})}>
			<dl class="facts">
				<dt>Site</dt>
				<dd>{box.site ?? <span class="faint">none</span>}</dd>
				<dt>Tags</dt>
				<dd class="tags">
					{box.tags.length === 0 && <span class="faint">none</span>}
					{box.tags.map((tag) => (
						<span key={tag} class="tag">
							{tag}
						</span>
					))}
				</dd>
			</dl>
			{isOpen.value && (
				<PlaceDialog
					{...props}
					onClose={() => {
						isOpen.value = false;
					}}
				/>
			)}
		</Panel>
	);
};

const PlaceDialog = ({box, etag, onChanged, onClose}: BoxPlaceProps & {readonly onClose: () => void}): JSX.Element => {
	const sites = useResource<{items: readonly Site[]}>('/sites', {query: {limit: 500}});
	const site = useSignal(box.site ?? '');
	const tags = useSignal(box.tags.join(' '));
	const submit = async (): Promise<void> => {
		await request('PATCH', `/boxes/${encodeURIComponent(box.id)}`, {
			body: {site: site.value || null, tags: tags.value.split(/[\s,]+/u).filter((tag) => tag !== '')},
			ifMatch: etag,
		});
		onChanged();
	};
	return (
		<FormDialog title="Site and tags" verb="Save" done="Saved" onClose={onClose} onSubmit={submit}>
			<SelectField
				label="Site"
				value={site}
				choices={[
					{value: '', text: 'none'},
					...(sites.data.value?.items.map(({id, name}) => ({value: id, text: name})) ?? []),
				]}
			/>
			<TextField label="Tags" value={tags} hint="Lower case, separated by spaces" />
		</FormDialog>
	);
};

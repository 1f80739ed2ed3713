const basic = ['timestamp', 'level', 'message', 'request_id', 'method', 'path_with_query']
const request = [...basic, 'protocol', 'schema', 'elapsed', 'status_code']

/**
 * The fields that lines of a request have in the flat format, at least, by kind of line: `validation` for the line
 * `request validation exception`, `request` for that of a request, `exception` for that of one whose error nobody
 * handled. (FA-34; without `source`, which our own lines have not, ruling 11)
 */
export const fieldSets: Readonly<
  Record<'basic' | 'validation' | 'request' | 'exception', readonly string[]>
> = {
  basic,
  validation: [...basic, 'detail'],
  request,
  exception: [...request, 'exception'],
}

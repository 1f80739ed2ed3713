import { InfluxDB, Point } from '@influxdata/influxdb-client'
import { type ContextEntry, influx } from 'deedbox/chests'
import type { ChestWrites } from './writes.ts'

/** The points of each write in one call, made and sent as the client's own documents show it. */
export async function open(url: string): Promise<ChestWrites> {
  await fetch(`${url}/query`, {
    method: 'POST',
    body: new URLSearchParams({ q: 'CREATE DATABASE bench; CREATE DATABASE driver' }),
  })
  const client = new InfluxDB({ url, token: '' })
  let parts: readonly (readonly ContextEntry[])[] = []
  return {
    chest: influx(url, { database: 'bench' }),
    async prepare(_count, written) {
      parts = written
    },
    async insert(part) {
      const api = client.getWriteApi('', 'driver', 'us', { flushInterval: 0, batchSize: 10_000 })
      for (const [id, entries] of Map.groupBy(parts[part]!, ({ requestId }) => requestId)) {
        const { record } = entries[0]!
        const point = new Point('sample').timestamp(record.timestamp).stringField('request_id', id)
        for (const name of ['service', 'env', 'route', 'method'] as const)
          point.stringField(name, record[name])
        point.intField('status', record.status)
        for (const { name, value } of entries)
          if (typeof value === 'number') point.floatField(name, value)
          else point.stringField(name, value)
        api.writePoint(point)
      }
      await api.close()
    },
    close: async () => {},
  }
}
